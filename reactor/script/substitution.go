package script

import (
	"fmt"
	"regexp"
	"strings"
)

// Substitution is /expression/replacement/flags, as re.subst and the subst
// functions take it.
type Substitution struct {
	re     *regexp.Regexp
	parts  []substPart
	global bool
}

// substPart is a piece of a replacement.
type substPart struct {
	group int // what a group matched, -1 = none
	text  func(m *Machine) []byte
	value bool // text is a variable's: it ends no line of a header
}

// substitution compiles the text of a substitution. at gives the place of its
// bytes.
func (k *compiler) substitution(s *stringExpr) *Substitution {
	out, repl, msg := parseSubstitution(s.Text)
	if msg != "" {
		k.rep.errorf(s.At, "%s", msg)
		return nil
	}
	if out.parts = k.replacement(s, repl, out.re.NumSubexp()); out.parts == nil && repl != "" {
		return nil
	}
	return out
}

// parseSubstitution reads /expression/replacement/flags; msg tells what is wrong.
func parseSubstitution(text string) (out *Substitution, repl, msg string) {
	if text == "" {
		return nil, "", "a substitution is /expression/replacement/flags"
	}
	sep := text[0]
	if isWordByte(sep) || sep == '\\' || sep == '$' {
		return nil, "", fmt.Sprintf("a substitution is /expression/replacement/flags, and %q cannot stand for the slash", string(sep))
	}
	re, rest, ok1 := cutEscaped(text[1:], sep)
	repl, flags, ok2 := cutEscaped(rest, sep)
	if !ok1 || !ok2 {
		return nil, "", fmt.Sprintf("%q is no substitution: /expression/replacement/flags", clip(text))
	}
	out = &Substitution{}
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
			return nil, "", fmt.Sprintf("the substitution has the unknown flag %q; there are i, g and s", string(f))
		}
	}
	var err error
	if out.re, err = regexp.Compile("(?" + fold + lines + ")" + posixToGo(re)); err != nil {
		return nil, "", fmt.Sprintf("%q is no regular expression: %v", clip(re), err)
	}
	return out, repl, ""
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

// replacement compiles the text that takes the place of a match, of an
// expression with so many groups.
func (k *compiler) replacement(s *stringExpr, repl string, groups int) []substPart {
	parts, msg := replacement(repl, groups, func(i int) (func(m *Machine) []byte, int) {
		r := varReader{rep: k.rep, text: repl, at: func(int) Pos { return s.At }}
		v, end := r.read(i)
		if v == nil {
			return nil, end
		}
		get := k.variable(v)
		if get == nil {
			return nil, end
		}
		return func(m *Machine) []byte { return m.Text(get(m)) }, end
	})
	if msg != "" {
		k.rep.errorf(s.At, "%s", msg)
	}
	return parts
}

// replacement reads the text that takes the place of a match. variable gives
// what stands for the one that begins at an offset, and where it ends; nil if it
// cannot be had. Of what is wrong besides, msg tells.
func replacement(repl string, groups int, variable func(i int) (func(m *Machine) []byte, int)) (parts []substPart, msg string) {
	var plain []byte
	flush := func() {
		if len(plain) > 0 {
			b := append([]byte(nil), plain...)
			parts = append(parts, substPart{group: -1, text: func(*Machine) []byte { return b }})
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
				return nil, fmt.Sprintf("the replacement has \\%d, and the expression has %d groups", n, groups)
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
			text, end := variable(i)
			if text == nil {
				return nil, ""
			}
			flush()
			parts = append(parts, substPart{group: -1, value: true, text: text})
			i = end - 1
		default:
			plain = append(plain, c)
		}
	}
	flush()
	return parts, ""
}

// Apply writes b with the matches replaced. ok is false if there was none, or
// the text would get too long.
func (s *Substitution) Apply(m *Machine, b []byte) (out []byte, ok bool) {
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
	return m.Keep(w), true
}

// substTransforms is class re.
func substTransforms() map[string]*transformSpec {
	return map[string]*transformSpec{
		"re.subst": {min: 1, max: 1, raw: 1, build: func(k *compiler, t *varTransform) transformer {
			if v := t.Args[0].Var; v != nil {
				return k.substDynamic(v)
			}
			s := k.substitution(&stringExpr{node: node{t.Args[0].At}, Text: t.Args[0].Text})
			if s == nil {
				return nil
			}
			return func(m *Machine, in Value) Value {
				out, _ := s.Apply(m, m.Text(in))
				return Text(out)
			}
		}},
	}
}

// substDynamic compiles re.subst with a substitution that a variable holds. A
// variable in its replacement is refused when it runs: what a message brings in
// must not read the script's variables.
func (k *compiler) substDynamic(v *varExpr) transformer {
	get := k.variable(v)
	if get == nil {
		return nil
	}
	at := k.site(v.At, "{re.subst}")
	return func(m *Machine, in Value) Value {
		of := get(m)
		if of.kind == nullValue {
			return in
		}
		s := m.substitution(m.Text(of), at)
		if s == nil {
			return null
		}
		out, _ := s.Apply(m, m.Text(in))
		return Text(out)
	}
}

// substitution gives a compiled substitution; nil if it is none, which is an
// error of the script. When too many are known, they are forgotten.
func (m *Machine) substitution(b []byte, at *Site) *Substitution {
	if s, ok := m.substs[string(b)]; ok {
		return s
	}
	s, repl, msg := parseSubstitution(string(b))
	if msg == "" {
		dollar := false
		s.parts, msg = replacement(repl, s.re.NumSubexp(), func(i int) (func(*Machine) []byte, int) {
			dollar = true
			return nil, i
		})
		if dollar {
			msg = "a substitution from a variable holds no variables ($$ is a dollar)"
		}
	}
	if msg != "" {
		m.Fail(at, msg)
		return nil
	}
	if m.substs == nil || len(m.substs) >= maxDynamic {
		m.substs = make(map[string]*Substitution)
	}
	m.substs[string(b)] = s
	return s
}
