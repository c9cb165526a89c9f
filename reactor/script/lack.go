package script

import (
	"fmt"
	"slices"
	"strings"
)

// Lack is what OpenSIPS' module has and the one here does not, so that a
// configuration that wants it is told why, and the reference says so.
type Lack struct {
	Kind LackKind
	// Names are those that lack for the same reason, with spaces between them.
	Names string
	// Why completes "x is not supported: ...".
	Why string
}

// LackKind is what kind of thing a module lacks.
type LackKind uint8

// The kinds. LacksCommand is for the reference alone: a configuration names no
// commands.
const (
	LacksParameter LackKind = iota
	LacksFunction
	LacksVariable
	LacksCommand
)

// title gives the names as the reference and errors have them.
func (k LackKind) title(name string) string {
	switch k {
	case LacksFunction:
		return name + "()"
	case LacksVariable:
		return "$" + name
	case LacksParameter, LacksCommand:
	}
	return name
}

// lacks returns what a module says of something that it does not have, nil if
// that is nothing of OpenSIPS'.
func (m *Module) lacks(kind LackKind, name string) *Lack {
	for i := range m.Lacks {
		if l := &m.Lacks[i]; l.Kind == kind && slices.Contains(strings.Fields(l.Names), name) {
			return l
		}
	}
	return nil
}

// unsupported reports something that a module is known to lack, first of one that is
// loaded; false: no module says so.
func (c *settings) unsupported(at Pos, kind LackKind, name string) bool {
	among := slices.Clone(c.modules)
	for _, other := range c.moduleNames() {
		among = append(among, c.words.module(other))
	}
	for _, m := range among {
		if l := m.lacks(kind, name); l != nil {
			c.rep.errorf(at, "%s of the module %s is not supported: %s", kind.title(name), m.Name, l.Why)
			return true
		}
	}
	return false
}

// entry gives the line of the reference.
func (l *Lack) entry() string {
	names := strings.Fields(l.Names)
	for i, name := range names {
		names[i] = l.Kind.title(name)
	}
	kind := [...]string{LacksParameter: "parameter", LacksFunction: "function", LacksVariable: "variable", LacksCommand: "management command"}[l.Kind]
	if len(names) > 1 {
		kind += "s"
	}
	return fmt.Sprintf("%s %s", kind, strings.Join(names, ", "))
}
