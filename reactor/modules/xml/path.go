package xml

import (
	"errors"
	"math"
	"strings"

	"sipreactor/reactor/script"
)

var errPath = errors.New("name, then /element or /element[index] as often as needed, then .val or .attr/name")

// step is a child: the index-th of those of the name.
type step struct {
	name  string
	index int
}

// access is what of an element is meant.
type access uint8

const (
	whole access = iota
	value
	attribute
)

// part is a word of a path: a constant, or a variable.
type part struct {
	text string
	get  func(x *script.Machine) script.Value
}

// place is where a variable's name leads, its variables included.
type place struct {
	document string
	steps    []struct{ name, index part }
	of       access
	attr     part
}

// compile reads name(/element[index])*(.val|.attr/name); nil after an error.
func compile(u *script.Use) *place {
	text, ok := u.Fixed()
	if !ok {
		u.Errorf("$xml() takes %v", errPath)
		return nil
	}
	r := reader{u: u, s: text}
	p := &place{document: r.word("/.")}
	if p.document == "" {
		r.wrong()
	}
	for r.accept("/") {
		var s struct{ name, index part }
		s.name = r.part("/.[")
		if r.accept("[") {
			if s.index = r.part("]"); s.index.get == nil && !isNumber(s.index.text) || !r.accept("]") {
				r.wrong()
			}
		}
		p.steps = append(p.steps, s)
	}
	switch {
	case r.s == "":
	case r.s == ".val" && len(p.steps) > 0:
		p.of = value
	case len(p.steps) > 0 && r.accept(".attr/"):
		p.of, p.attr = attribute, r.part("")
		if p.attr.get == nil && !isName(p.attr.text) {
			r.wrong()
		}
	default:
		r.wrong()
	}
	if r.failed {
		return nil
	}
	return p
}

func isNumber(s string) bool {
	return s != "" && len(s) < 6 && strings.Trim(s, "0123456789") == ""
}

// reader reads a path.
type reader struct {
	u      *script.Use
	s      string
	failed bool
}

func (r *reader) wrong() {
	if !r.failed {
		r.u.Errorf("$xml() takes %v", errPath)
	}
	r.failed = true
}

func (r *reader) accept(what string) bool {
	rest, ok := strings.CutPrefix(r.s, what)
	if ok {
		r.s = rest
	}
	return ok
}

// word reads up to one of the bytes, or to the end.
func (r *reader) word(ends string) string {
	n := strings.IndexAny(r.s, ends)
	if n < 0 || ends == "" {
		n = len(r.s)
	}
	w := r.s[:n]
	r.s = r.s[n:]
	return w
}

// part reads a word or a variable. An element may have dots in its name; what ends one is
// .val and .attr/ only.
func (r *reader) part(ends string) (p part) {
	if strings.HasPrefix(r.s, "$") {
		n := variableEnd(r.s)
		if p.get = r.u.Variable(r.s[:n]); p.get == nil {
			r.failed = true
		}
		r.s = r.s[n:]
		return p
	}
	for {
		p.text += r.word(ends)
		if !strings.HasPrefix(r.s, ".") || !strings.Contains(ends, ".") || r.s == ".val" || strings.HasPrefix(r.s, ".attr/") {
			break
		}
		p.text, r.s = p.text+".", r.s[1:]
	}
	if p.text == "" {
		r.wrong()
	}
	return p
}

// variableEnd is where the variable that s begins with ends: behind its parentheses.
func variableEnd(s string) int {
	depth := 0
	for i, c := range s {
		switch {
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i + 1
			}
		case depth == 0 && strings.ContainsRune("/.[]", c):
			return i
		}
	}
	return len(s)
}

// text gives the part for a message; false where it is NULL.
func (p *part) value(x *script.Machine) (string, bool) {
	if p.get == nil {
		return p.text, true
	}
	v := p.get(x)
	return string(x.Text(v)), !v.IsNull()
}

// path gives the steps for a message; false where a variable of it is no name or number.
func (p *place) path(x *script.Machine) (path []step, ok bool) {
	for i := range p.steps {
		s := step{}
		if s.name, ok = p.steps[i].name.value(x); !ok {
			return nil, false
		}
		if index := &p.steps[i].index; index.get != nil {
			n, ok := index.get(x).Int()
			if !ok || n < 0 || n > math.MaxInt32 {
				return nil, false
			}
			s.index = int(n)
		} else {
			for _, c := range index.text {
				s.index = s.index*10 + int(c-'0')
			}
		}
		path = append(path, s)
	}
	return path, true
}
