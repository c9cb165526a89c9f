package script

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Reference makes modules for their documentation only, in the order of their names.
func Reference(constructors []Constructor) []*Module {
	var all []*Module
	for _, construct := range constructors {
		all = append(all, construct(newConfig()))
	}
	slices.SortFunc(all, func(a, b *Module) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Undocumented lists what the module declares without a line of help.
func (m *Module) Undocumented() (lacking []string) {
	note := func(help, format string, args ...any) {
		if strings.TrimSpace(help) == "" {
			lacking = append(lacking, fmt.Sprintf(format, args...))
		}
	}
	note(m.Help, "the module")
	for i := range m.Parameters {
		note(m.Parameters[i].Help, "the parameter %s", m.Parameters[i].Name)
	}
	for i := range m.Functions {
		note(m.Functions[i].Help, "%s()", m.Functions[i].Name)
		note(m.Functions[i].Usage, "the usage of %s()", m.Functions[i].Name)
	}
	for i := range m.Variables {
		note(m.Variables[i].Help, "$%s", m.Variables[i].Name)
	}
	for i := range m.Commands {
		note(m.Commands[i].Help, "the command %s", m.Commands[i].Name)
	}
	for i := range m.Statistics {
		note(m.Statistics[i].Help, "the statistic %s", m.Statistics[i].Name)
	}
	for i := range m.Events {
		note(m.Events[i].Help, "the event %s", m.Events[i].Name)
	}
	for i := range m.Lacks {
		note(m.Lacks[i].Names, "a lack")
		note(m.Lacks[i].Why, "the lack of %s", m.Lacks[i].Names)
	}
	return lacking
}

// WriteReference writes what the module declares, for people.
func (m *Module) WriteReference(w io.Writer) {
	fmt.Fprintf(w, "%s\n  %s\n", m.Name, m.Help)
	if m.Note != "" {
		fmt.Fprintf(w, "  Here: %s.\n", m.Note)
	}
	if len(m.Needs) > 0 {
		fmt.Fprintf(w, "  Needs: %s\n", strings.Join(m.Needs, ", "))
	}
	section := heading{w: w}
	section.begin("Parameters")
	for i := range m.Parameters {
		p := &m.Parameters[i]
		about := p.allowed()
		if p.Default != "" {
			about += "; default " + p.Default
		}
		section.entry(p.Name+" = "+about, p.Help, p.Note)
	}
	section.begin("Functions")
	for i := range m.Functions {
		f := &m.Functions[i]
		where := "In " + f.Routes.String() + "."
		if f.Routes == Anywhere {
			where = "In all routes."
		}
		if len(f.Aliases) > 0 {
			where += " Also " + strings.Join(f.Aliases, ", ") + "."
		}
		section.entry(f.Usage, f.Help, "")
		fmt.Fprintf(w, "      %s\n", where)
	}
	section.begin("Variables")
	for i := range m.Variables {
		v := &m.Variables[i]
		name := "$" + v.Name
		switch v.Inner {
		case ConstInner, AnyInner:
			name += "(name)"
		case OptionalInner:
			name += "[(name)]"
		case NoInner:
		}
		for _, other := range v.Aliases {
			name += ", $" + other
		}
		if v.Set != nil {
			name += " (can be assigned to)"
		}
		section.entry(name, v.Help, "")
	}
	section.begin("Management commands")
	for i := range m.Commands {
		section.entry(m.Commands[i].Usage(), m.Commands[i].Help, "")
	}
	section.begin("Statistics")
	for i := range m.Statistics {
		s := &m.Statistics[i]
		section.entry(cmp.Or(s.Group, m.Name)+":"+s.Name, s.Help, "")
	}
	section.begin("Events")
	for i := range m.Events {
		e := &m.Events[i]
		section.entry(e.Name+"("+strings.Join(e.Params, ", ")+")", e.Help, "")
	}
	section.begin("Not supported")
	for i := range m.Lacks {
		section.entry(m.Lacks[i].entry(), m.Lacks[i].Why, "")
	}
}

// heading writes the title of a section before its first entry.
type heading struct {
	w     io.Writer
	title string
}

func (h *heading) begin(title string) { h.title = title }

func (h *heading) entry(what, help, note string) {
	if h.title != "" {
		fmt.Fprintf(h.w, "\n  %s\n", h.title)
		h.title = ""
	}
	fmt.Fprintf(h.w, "    %s\n      %s\n", what, help)
	if note != "" {
		fmt.Fprintf(h.w, "      Does nothing here: %s.\n", note)
	}
}
