package json

import (
	"unicode/utf8"
)

// style is how a document is written.
type style struct {
	spaces bool // { "a": 1, "b": [ 2 ] }
	lines  bool // the same over several lines
	slash  bool // a slash as \/
}

// The styles of the variables.
var (
	spaced   = style{spaces: true, slash: true}
	pretty   = style{lines: true, slash: true}
	compact  = style{slash: true}
	noEscape = style{}
)

// appendTo writes a value. It reports false when that gets too long.
func (n *node) appendTo(b []byte, st style, depth int) ([]byte, bool) {
	switch n.kind {
	case null:
		return append(b, "null"...), true
	case boolean:
		if n.yes {
			return append(b, "true"...), true
		}
		return append(b, "false"...), true
	case number:
		return append(b, n.s...), true
	case text:
		return appendText(b, n.s, st), true
	case array, object:
	}
	open, shut := byte('['), byte(']')
	if n.kind == object {
		open, shut = '{', '}'
	}
	b = append(b, open)
	for i, v := range n.list {
		if i > 0 {
			b = append(b, ',')
		}
		b = st.gap(b, depth+1)
		if n.kind == object {
			b = append(appendText(b, n.keys[i], st), ':')
			if st.spaces {
				b = append(b, ' ')
			}
		}
		var ok bool
		if b, ok = v.appendTo(b, st, depth+1); !ok || len(b) > maxText {
			return b, false
		}
	}
	if len(n.list) > 0 || st.spaces {
		b = st.gap(b, depth)
	}
	return append(b, shut), true
}

// gap writes what stands before a value or a closing bracket.
func (st style) gap(b []byte, depth int) []byte {
	switch {
	case st.lines:
		b = append(b, '\n')
		for range depth {
			b = append(b, ' ', ' ')
		}
	case st.spaces:
		b = append(b, ' ')
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendText writes a string in quotes (RFC 8259 7).
func appendText(b []byte, s string, st style) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c == '/' && st.slash:
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\b':
			b = append(b, '\\', 'b')
		case c == '\f':
			b = append(b, '\\', 'f')
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // what is no UTF-8 becomes U+FFFD
			i += size - 1
		}
	}
	return append(b, '"')
}
