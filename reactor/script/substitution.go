package script

import (
	"regexp"
	"strings"
)

// substitution is /expression/replacement/flags, as re.subst and the subst
// functions take it.
type substitution struct {
	re     *regexp.Regexp
	parts  []substPart
	global bool
}

// substPart is a piece of a replacement.
type substPart struct {
	group int // what a group matched, -1 = none
	text  func(m *machine) []byte
}

// substitution compiles the text of a substitution. at gives the place of its
// bytes.
func (k *compiler) substitution(s *String) *substitution {
	text := s.Text
	if text == "" {
		k.rep.errorf(s.At, "a substitution is /expression/replacement/flags")
		return nil
	}
	sep := text[0]
	if isWordByte(sep) || sep == '\\' || sep == '$' {
		k.rep.errorf(s.At, "a substitution is /expression/replacement/flags, and %q cannot stand for the slash", string(sep))
		return nil
	}
	re, rest, ok1 := cutEscaped(text[1:], sep)
	repl, flags, ok2 := cutEscaped(rest, sep)
	if !ok1 || !ok2 {
		k.rep.errorf(s.At, "%q is no substitution: /expression/replacement/flags", clip(text))
		return nil
	}
	out := &substitution{}
	fold, lines := "", "m"
	for _, f := range flags {
		switch f {
		case 'i':
			fold = "i"
		case 'g':
			out.global = true
		case 's':
			lines = "s" // the text is one line: a dot takes line ends, too
		default:
			k.rep.errorf(s.At, "the substitution has the unknown flag %q; there are i, g and s", string(f))
			return nil
		}
	}
	var err error
	if out.re, err = regexp.Compile("(?" + fold + lines + ")" + posixToGo(re)); err != nil {
		k.rep.errorf(s.At, "%q is no regular expression: %v", clip(re), err)
		return nil
	}
	if out.parts = k.replacement(s, repl, out.re.NumSubexp()); out.parts == nil && repl != "" {
		return nil
	}
	return out
}

// cutEscaped parts s at the first sep without a backslash before it. A \sep
// becomes sep.
func cutEscaped(s string, sep byte) (before, after string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			if s[i] != sep {
				b.WriteByte('\\')
			}
			b.WriteByte(s[i])
		case s[i] == sep:
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), "", false
}

// replacement compiles the replacement: \0 to \9 are groups, $ begins a
// variable.
func (k *compiler) replacement(s *String, repl string, groups int) (parts []substPart) {
	var plain []byte
	flush := func() {
		if len(plain) > 0 {
			b := append([]byte(nil), plain...)
			parts = append(parts, substPart{group: -1, text: func(*machine) []byte { return b }})
			plain = plain[:0]
		}
	}
	for i := 0; i < len(repl); i++ {
		c := repl[i]
		switch {
		case c == '\\' && i+1 < len(repl) && isDigit(repl[i+1]):
			i++
			n := int(repl[i] - '0')
			if n > groups {
				k.rep.errorf(s.At, "the replacement has \\%d, and the expression has %d groups", n, groups)
				return nil
			}
			flush()
			parts = append(parts, substPart{group: n})
		case c == '\\' && i+1 < len(repl):
			i++
			if e := strings.IndexByte("nrt", repl[i]); e >= 0 {
				plain = append(plain, "\n\r\t"[e])
			} else {
				plain = append(plain, repl[i])
			}
		case c == '$' && i+1 < len(repl) && repl[i+1] == '$':
			i++
			plain = append(plain, '$')
		case c == '$':
			r := varReader{rep: k.rep, text: repl, at: func(int) Pos { return s.At }}
			v, end := r.read(i)
			if v == nil {
				return nil
			}
			get := k.variable(v)
			if get == nil {
				return nil
			}
			flush()
			parts = append(parts, substPart{group: -1, text: func(m *machine) []byte { return m.text(get(m)) }})
			i = end - 1
		default:
			plain = append(plain, c)
		}
	}
	flush()
	return parts
}

// apply writes b with the matches replaced. ok is false if there was none, or
// the text would get too long.
func (s *substitution) apply(m *machine, b []byte) (out []byte, ok bool) {
	n := 1
	if s.global {
		n = -1
	}
	found := s.re.FindAllSubmatchIndex(b, n)
	if found == nil {
		return b, false
	}
	// The parts may write into the arena, so the outcome is built beside it.
	w := m.work[:0]
	m.work = nil // a part may hold a substitution itself
	last := 0
	for _, f := range found {
		w = append(w, b[last:f[0]]...)
		for _, p := range s.parts {
			switch {
			case p.group < 0:
				w = append(w, p.text(m)...)
			case f[2*p.group] >= 0:
				w = append(w, b[f[2*p.group]:f[2*p.group+1]]...)
			}
		}
		last = f[1]
		if len(w) > maxText {
			m.work = w
			return b, false
		}
	}
	w = append(w, b[last:]...)
	m.work = w
	return m.keep(w), true
}

// substTransforms is class re.
func substTransforms() map[string]*transformSpec {
	return map[string]*transformSpec{
		"re.subst": {min: 1, max: 1, raw: 1, build: func(k *compiler, t *Transform) transformer {
			if v := t.Args[0].Var; v != nil {
				k.rep.errorf(v.At, "the substitution is a constant: {re.subst,/expression/replacement/flags}")
				return nil
			}
			s := k.substitution(&String{node: node{t.Args[0].At}, Text: t.Args[0].Text})
			if s == nil {
				return nil
			}
			return func(m *machine, in value) value {
				out, _ := s.apply(m, m.text(in))
				return bytesValue(out)
			}
		}},
	}
}
