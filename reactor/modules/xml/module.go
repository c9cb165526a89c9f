package xml

import (
	"sipreactor/reactor/script"
)

type module struct {
	documents *script.Local // documents
}

// documents are those of a message, by name: what stands at the top of each.
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
	return &script.Module{
		Name: "xml", Help: "Reads and writes XML documents.",
		Variables: []script.Variable{{
			Name: "xml", Help: "A document, an element of it, its text or an attribute: $xml(name/element[index].attr/name).",
			Inner: script.ConstInner, Free: true, Get: m.get, Set: m.set,
		}},
		Check: func(l *script.Loading) { m.documents = l.Local() },
	}
}

func (m *module) of(x *script.Machine) documents {
	d, _ := m.documents.Get(x).(documents)
	return d
}

// find gives the element at a place and the one above it; nil if there is none.
func (m *module) find(x *script.Machine, p *place) (at, above *node) {
	path, ok := p.path(x)
	top := m.of(x)[p.document]
	if !ok || top == nil {
		return nil, nil
	}
	return top.find(path)
}

func (m *module) get(u *script.Use) script.Getter {
	p := compile(u)
	if p == nil {
		return nil
	}
	return func(x *script.Machine, _ int) script.Value {
		n, _ := m.find(x, p)
		if n == nil {
			return script.Value{}
		}
		switch p.of {
		case value:
			return script.Text(x.KeepString(n.content()))
		case attribute:
			name, _ := p.attr.value(x)
			if a := n.attr(name); a != nil {
				return script.Text(x.KeepString(a.value))
			}
			return script.Value{}
		default:
			var b []byte
			list := []*node{n}
			if n.name == "" { // the document
				list = n.children
			}
			var ok bool
			for _, c := range list {
				if b, ok = c.appendTo(b); !ok {
					return script.Value{}
				}
			}
			return script.Text(x.Keep(b))
		}
	}
}

func (m *module) set(u *script.Use) script.Setter {
	p := compile(u)
	if p == nil {
		return nil
	}
	at := u.Site()
	return func(x *script.Machine, v script.Value) int {
		if len(p.steps) == 0 {
			return m.setDocument(x, at, p.document, v)
		}
		n, above := m.find(x, p)
		if n == nil {
			return x.Reported(at, errAbsent)
		}
		switch text := string(x.Text(v)); {
		case p.of == value:
			n.setContent(text) // that of NULL is empty
		case p.of == attribute:
			name, ok := p.attr.value(x)
			if !ok || !isName(name) {
				return x.Fail(at, "the name of an attribute is NULL or has bytes that it must not have")
			}
			if v.IsNull() {
				n.removeAttr(name)
			} else {
				n.setAttr(name, text)
			}
		case v.IsNull():
			above.remove(n)
		default:
			return m.insert(x, at, p.document, n, text)
		}
		return 1
	}
}

// setDocument makes a document of a text, in the place of what there was; NULL clears it.
func (m *module) setDocument(x *script.Machine, at *script.Site, name string, v script.Value) int {
	d := m.of(x)
	if v.IsNull() {
		delete(d, name)
		return 1
	}
	nodes, err := parse(x.Text(v))
	if err != nil {
		return x.Reported(at, err)
	}
	if d == nil {
		d = make(documents)
		m.documents.Set(x, d)
	}
	d[name] = &node{children: nodes}
	return 1
}

// insert puts a text with one element behind the children of n.
func (m *module) insert(x *script.Machine, at *script.Site, document string, n *node, text string) int {
	nodes, err := parse([]byte(text))
	if err != nil {
		return x.Reported(at, err)
	}
	before := n.children
	n.children = append(n.children[:len(n.children):len(n.children)], nodes...)
	top := m.of(x)[document]
	if count, depth := top.measure(); count > maxNodes || depth > maxDepth {
		n.children = before
		return x.Reported(at, errLarge)
	}
	return 1
}
