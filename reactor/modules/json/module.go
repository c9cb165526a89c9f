package json

import (
	"math"
	"strconv"
	"strings"

	"sipreactor/reactor/script"
)

type module struct {
	longQuoting bool
	documents   *script.Local // documents
}

// documents are those of a message, by name.
type documents map[string]*node

// Fork copies them for what launch() runs.
func (d documents) Fork() any {
	c := make(documents, len(d))
	for name, n := range d {
		c[name] = n.clone()
	}
	return c
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{}
	variable := func(name, help string, st style) script.Variable {
		return script.Variable{Name: name, Help: help, Inner: script.ConstInner, Index: true, Free: true, Get: m.get(st, false), Each: m.get(st, true), Set: m.set}
	}
	return &script.Module{
		Name: "json",
		Help: "Reads and writes JSON documents.",
		Parameters: []script.Parameter{
			{Name: "enable_long_quoting", Type: script.BoolParam, Default: "0", Help: "Gives whole numbers that need more than 4 bytes as texts.", Set: script.Into(&m.longQuoting)},
		},
		Variables: []script.Variable{
			variable("json", "A document, or a value in it: $json(name/key[index]).", spaced),
			variable("json_pretty", "The same over several lines.", pretty),
			variable("json_compact", "The same without blanks.", compact),
			variable("json_compact_noescape", "The same without blanks, and slashes as they are.", noEscape),
			{Name: "json_true", Help: "The value true, to assign.", Get: script.Simple(func(*script.Machine) script.Value { return script.Text(trueText) })},
			{Name: "json_false", Help: "The value false, to assign.", Get: script.Simple(func(*script.Machine) script.Value { return script.Text(falseText) })},
		},
		Functions: []script.Function{
			{Name: "json_link", Usage: "json_link($json(to), $json(from))", Help: "Has two places share a value.", Args: []script.ArgKind{script.SetArg, script.TextArg}, Min: 2, Routes: script.Anywhere, Build: m.link},
			{Name: "json_merge", Usage: "json_merge($json(main), $json(patch), $var(merged))", Help: "Merges a document into another (RFC 7396).",
				Args: []script.ArgKind{script.TextArg, script.TextArg, script.SetArg}, Min: 3, Routes: script.Anywhere, Build: m.merge},
		},
		Check: func(l *script.Loading) { m.documents = l.Local() },
	}
}

var trueText, falseText = []byte("true"), []byte("false")

// place is where a variable's name leads, its variables included.
type place struct {
	name  string
	steps []func(x *script.Machine) (step, bool)
	of    view
}

// compile compiles the name of a variable; nil after an error.
func (m *module) compile(u *script.Use) *place {
	text, ok := u.Fixed()
	if !ok {
		u.Errorf("%v", errPath)
		return nil
	}
	return compile(text, u.Errorf, u.Variable)
}

// compile compiles the name of a value. variable compiles those in it.
func compile(text string, errorf func(format string, args ...any), variable func(text string) func(x *script.Machine) script.Value) *place {
	name, parts, of, err := parsePath(text)
	if err != nil {
		errorf("%s is no name of a value: %v", text, err)
		return nil
	}
	p := &place{name: name, of: of}
	for _, part := range parts {
		if part.variable == "" {
			s := part.step
			p.steps = append(p.steps, func(*script.Machine) (step, bool) { return s, true })
			continue
		}
		get := variable(part.variable)
		if get == nil {
			return nil
		}
		index := part.isIndex
		p.steps = append(p.steps, func(x *script.Machine) (step, bool) {
			v := get(x)
			if !index {
				return step{key: string(x.Text(v))}, !v.IsNull()
			}
			n, ok := v.Int()
			return step{index: int(n), isIndex: true}, ok && n > math.MinInt32 && n < math.MaxInt32
		})
	}
	return p
}

func (p *place) path(x *script.Machine) (path []step, ok bool) {
	for _, f := range p.steps {
		s, ok := f(x)
		if !ok {
			return nil, false
		}
		path = append(path, s)
	}
	return path, true
}

func (m *module) of(x *script.Machine) documents {
	d, _ := m.documents.Get(x).(documents)
	return d
}

// find gives the value at a place, nil if there is none.
func (m *module) find(x *script.Machine, p *place) *node {
	path, ok := p.path(x)
	if !ok {
		return nil
	}
	n, err := m.of(x)[p.name].get(path)
	if err != nil {
		return nil
	}
	return n
}

// get makes the Get of a variable, or with each its Each. An index is that of the keys or
// values.
func (m *module) get(st style, each bool) func(u *script.Use) script.Getter {
	return func(u *script.Use) script.Getter {
		p := m.compile(u)
		if p == nil {
			return nil
		}
		whole := !each && !u.Indexed() && p.of == values
		return func(x *script.Machine, i int) script.Value {
			n := m.find(x, p)
			switch {
			case n == nil:
				return script.Value{}
			case whole:
				return m.value(x, n, st)
			default:
				return m.item(x, n, p.of, i, st)
			}
		}
	}
}

// item gives the i-th key or value of an object, or of an array.
func (m *module) item(x *script.Machine, n *node, of view, i int, st style) script.Value {
	if i < 0 {
		i += len(n.list)
	}
	switch {
	case n.kind != array && n.kind != object, i < 0 || i >= len(n.list), of == keys && n.kind != object:
		return script.Value{}
	case of == keys:
		return script.Text(x.KeepString(n.keys[i]))
	default:
		return m.value(x, n.list[i], st)
	}
}

// value makes a value of the script of one of a document.
func (m *module) value(x *script.Machine, n *node, st style) script.Value {
	switch n.kind {
	case boolean:
		if n.yes {
			return script.Int(1)
		}
		return script.Int(0)
	case number:
		if i, err := strconv.ParseInt(n.s, 10, 64); err == nil && (!m.longQuoting || i >= math.MinInt32 && i <= math.MaxInt32) {
			return script.Int(i)
		}
		return script.Text(x.KeepString(n.s))
	case text:
		return script.Text(x.KeepString(n.s))
	default:
		b, ok := n.appendTo(nil, st, 0)
		if !ok {
			return script.Value{}
		}
		return script.Text(x.Keep(b))
	}
}

// put puts a value at a place; nil takes it out.
func (m *module) put(x *script.Machine, at *script.Site, p *place, n *node) int {
	path, ok := p.path(x)
	if !ok {
		return x.Fail(at, "a key or an index is NULL")
	}
	d := m.of(x)
	if d == nil {
		d = make(documents)
		m.documents.Set(x, d)
	}
	if len(path) == 0 {
		if n == nil {
			delete(d, p.name)
		} else {
			d[p.name] = n
		}
		return 1
	}
	root := d[p.name]
	if root == nil {
		return x.Fail(at, "there is no document "+p.name)
	}
	return x.Reported(at, root.set(path, n))
}

func (m *module) set(u *script.Use) script.Setter {
	p := m.compile(u)
	if p == nil {
		return nil
	}
	at, whole := u.Site(), u.Whole()
	return func(x *script.Machine, v script.Value) int {
		switch {
		case v.IsNull():
			return m.put(x, at, p, nil)
		case whole:
			n, err := parse(x.Text(v))
			if err != nil {
				return x.Reported(at, err)
			}
			return m.put(x, at, p, n)
		case v.IsNumber():
			i, _ := v.Int()
			return m.put(x, at, p, numberNode(i))
		}
		b := x.Text(v)
		if len(b) > 0 && (&b[0] == &trueText[0] || &b[0] == &falseText[0]) { // $json_true and $json_false themselves
			return m.put(x, at, p, booleanNode(&b[0] == &trueText[0]))
		}
		return m.put(x, at, p, textNode(string(b)))
	}
}

// link makes json_link(): the first place refers to the value of the second.
func (m *module) link(a *script.Args) script.Action {
	to, from := m.argument(a, 0), m.argument(a, 1)
	if to == nil || from == nil {
		return nil
	}
	at := a.Site()
	return func(x *script.Machine) int {
		n := m.find(x, from)
		if n == nil {
			return x.Reported(at, errAbsent)
		}
		return m.put(x, at, to, n)
	}
}

// argument compiles an argument that is $json(name); nil after an error.
func (m *module) argument(a *script.Args, i int) *place {
	pieces := a.Fragments(i)
	if len(pieces) == 1 {
		if rest, ok := strings.CutPrefix(pieces[0].Text, "$json("); ok && strings.HasSuffix(rest, ")") {
			return compile(strings.TrimSuffix(rest, ")"), func(format string, args ...any) { a.Errorf(i, format, args...) }, func(text string) func(x *script.Machine) script.Value {
				v := a.Literal(i)
				v.Text = text
				return a.Loading().Variable(v)
			})
		}
	}
	a.Errorf(i, "json_link() links values of documents: json_link($json(to), $json(from))")
	return nil
}

// merge makes json_merge().
func (m *module) merge(a *script.Args) script.Action {
	main, patch, set, at := a.Text(0), a.Text(1), a.Setter(2), a.Site()
	return func(x *script.Machine) int {
		b, ok := main(x)
		c, also := patch(x)
		if !ok || !also {
			return x.Fail(at, "a document is NULL")
		}
		n, err := parse(b)
		if err != nil {
			return x.Reported(at, err)
		}
		p, err := parse(c)
		if err != nil {
			return x.Reported(at, err)
		}
		out, ok := n.merge(p).appendTo(nil, compact, 0)
		if !ok {
			return x.Reported(at, errLarge)
		}
		return set(x, script.Text(x.Keep(out)))
	}
}
