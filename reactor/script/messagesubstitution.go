package script

import (
	"regexp"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Substitution returns argument i, a FixedArg, as /expression/replacement/flags; nil
// after an error.
func (a *Args) Substitution(i int) *Substitution {
	s, ok := a.list[i].expr.(*stringExpr)
	if !ok {
		a.Errorf(i, "the substitution is a string in quotes: %s", a.usage)
		return nil
	}
	return a.k.substitution(s)
}

// Replacement makes a substitution of what an expression matches, all of it or the
// first, by a text; with keep the text is put behind it. With gives the expression.
func Replacement(text func(m *Machine) []byte, all, keep bool) Substitution {
	s := Substitution{global: all}
	if keep {
		s.parts = append(s.parts, substPart{group: 0})
	}
	s.parts = append(s.parts, substPart{group: -1, text: text})
	return s
}

// With returns the substitution with another expression.
func (s Substitution) With(re *regexp.Regexp) Substitution {
	s.re = re
	return s
}

// InMessage replaces what matches in the message as it came, from an offset on: in
// its body, if that is where the offset is. It returns the code of the function.
func (s *Substitution) InMessage(m *Machine, from uint32, at *Site) int {
	raw := m.msg.Raw()[:int(m.msg.BodyOffset())+len(m.msg.Body())] // a datagram may go on behind it
	if from == m.msg.BodyOffset() && m.c.BodySet() {               // what came is not there any more
		out, ok := s.Apply(m, m.c.Body())
		if !ok {
			return -1
		}
		return m.Reported(at, m.c.SetBody(nil, out))
	}
	if int(from) >= len(raw) {
		return -1
	}
	n := 1
	if s.global {
		n = -1
	}
	found := s.re.FindAllSubmatchIndex(raw[from:], n)
	for _, f := range found {
		w := m.work[:0]
		m.work = nil
		head := from+uint32(f[0]) < m.msg.BodyOffset()
		for _, p := range s.parts {
			switch {
			case p.group < 0:
				at := len(w)
				if w = append(w, p.text(m)...); p.value && head {
					proxy.OneLine(w[at:])
				}
			case f[2*p.group] >= 0:
				w = append(w, raw[int(from)+f[2*p.group]:int(from)+f[2*p.group+1]]...)
			}
		}
		m.work = w
		span := sipframe.Span{Off: from + uint32(f[0]), Len: uint32(f[1] - f[0])}
		if err := m.c.Replace(span, w); err != nil {
			return m.Reported(at, err)
		}
	}
	return Yes(len(found) > 0)
}
