package query

import (
	"fmt"
	"strings"

	"sipreactor/reactor/store"
)

// Values gives the text of a variable; false for NULL.
type Values func(i int) (string, bool)

// Fill makes s the statement of a template with the values that the variables
// have. NULL in quotes is <null>, as the script prints it; elsewhere it is an error.
func (t *Template) Fill(s *store.Statement, values Values) error {
	s.Reset()
	for i := range t.segments {
		g := &t.segments[i]
		switch g.kind {
		case sqlSegment:
			s.SQL(g.text)
		case literalSegment:
			s.Value(store.String(g.join(values)))
		case numberSegment:
			v, ok := values(g.at)
			switch {
			case !ok:
				return fmt.Errorf("%s is NULL", g.text)
			case !t.Raw && !isNumber(v):
				return fmt.Errorf("%s stands outside of quotes and is no number", g.text)
			}
			s.SQL(v)
		}
	}
	return nil
}

func (g *segment) join(values Values) string {
	var b strings.Builder
	for _, p := range g.pieces {
		if p.at < 0 {
			b.WriteString(p.text)
			continue
		}
		v, ok := values(p.at)
		switch {
		case !ok:
			v = "<null>"
		case p.escaped:
			v = Unescape(v)
		}
		b.WriteString(v)
	}
	return b.String()
}

// isNumber reports whether a text is one that SQL reads as a number: digits, with
// a sign or a fraction.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, has := strings.Cut(s, ".")
	return digits(whole) && (!has || digits(fraction))
}

func digits(s string) bool {
	return s != "" && strings.TrimLeft(s, "0123456789") == ""
}

// Unescape undoes {s.escape.common}.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] == '0' {
				b = append(b, 0)
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
