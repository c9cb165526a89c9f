package script

import (
	"bytes"
	"strings"
)

// textTransforms are those of class s that cut and change text.
func textTransforms() map[string]*transformSpec {
	return map[string]*transformSpec{
		"s.len": plain(func(_ *Machine, b []byte) Value { return Int(int64(len(b))) }),
		"s.int": plain(func(_ *Machine, b []byte) Value { return Int(leadingInt(b)) }),
		"s.tolower": plain(func(m *Machine, b []byte) Value {
			return m.mapped(b, func(c byte) byte { return lower(c) })
		}),
		"s.toupper": plain(func(m *Machine, b []byte) Value {
			return m.mapped(b, func(c byte) byte {
				if 'a' <= c && c <= 'z' {
					return c &^ 0x20
				}
				return c
			})
		}),
		"s.trim":  plain(func(_ *Machine, b []byte) Value { return Text(bytes.Trim(b, blanks)) }),
		"s.triml": plain(func(_ *Machine, b []byte) Value { return Text(bytes.TrimLeft(b, blanks)) }),
		"s.trimr": plain(func(_ *Machine, b []byte) Value { return Text(bytes.TrimRight(b, blanks)) }),
		"s.reverse": plain(func(m *Machine, b []byte) Value {
			out := m.Keep(b)
			for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
				out[i], out[j] = out[j], out[i]
			}
			return Text(out)
		}),
		"s.width": withNumber(func(m *Machine, b []byte, n int) Value {
			if n < 0 || n > maxText {
				return null
			}
			if n <= len(b) {
				return Text(b[:n])
			}
			return m.padded(b, []byte{' '}, n, false)
		}),
		"s.substr": {min: 2, max: 2, build: func(k *compiler, t *varTransform) transformer {
			from, n := k.count(t.Args[0]), k.count(t.Args[1])
			if from == nil || n == nil {
				return nil
			}
			return func(m *Machine, in Value) Value {
				i, ok1 := from(m)
				l, ok2 := n(m)
				if !ok1 || !ok2 {
					return null
				}
				return substr(m.Text(in), i, l)
			}
		}},
		"s.select": {min: 2, max: 2, raw: 2, build: func(k *compiler, t *varTransform) transformer {
			n := k.count(t.Args[0])
			if n == nil {
				return nil
			}
			if len(t.Args[1].Text) != 1 {
				k.rep.errorf(t.Args[1].At, "the separator is one character, not %q", clip(t.Args[1].Text))
				return nil
			}
			sep := t.Args[1].Text[0]
			return func(m *Machine, in Value) Value {
				i, ok := n(m)
				if !ok {
					return null
				}
				return selected(m.Text(in), i, sep)
			}
		}},
		"s.index":      {min: 1, max: 2, build: indexTransform(bytes.Index, false)},
		"s.rindex":     {min: 1, max: 2, build: indexTransform(bytes.LastIndex, true)},
		"s.fill.left":  {min: 2, max: 2, build: fillTransform(true)},
		"s.fill.right": {min: 2, max: 2, build: fillTransform(false)},
	}
}

const blanks = " \t\r\n"

// leadingInt reads a number at the beginning of text, 0 if there is none, as
// atoi does.
func leadingInt(b []byte) int64 {
	b = bytes.TrimLeft(b, blanks)
	end := 0
	if end < len(b) && (b[end] == '-' || b[end] == '+') {
		end++
	}
	for end < len(b) && isDigit(b[end]) {
		end++
	}
	n, _ := number64(b[:end])
	return n
}

// mapped changes each byte.
func (m *Machine) mapped(b []byte, f func(byte) byte) Value {
	out := m.Keep(b)
	for i, c := range out {
		out[i] = f(c)
	}
	return Text(out)
}

// substr gives n bytes from offset i on. A negative offset counts from the end;
// 0 bytes are all that are left, a negative number leaves out so many at the
// end.
func substr(b []byte, i, n int) Value {
	if i < 0 {
		i += len(b)
	}
	if i < 0 || i > len(b) {
		return null
	}
	b = b[i:]
	switch {
	case n < 0:
		n += len(b)
	case n == 0:
		n = len(b)
	}
	if n < 0 {
		return null
	}
	return Text(b[:min(n, len(b))])
}

// selected gives the i-th part between separators; a negative i counts from the
// end. Null if there is none.
func selected(b []byte, i int, sep byte) Value {
	if i < 0 {
		for ; i < -1; i++ {
			n := bytes.LastIndexByte(b, sep)
			if n < 0 {
				return null
			}
			b = b[:n]
		}
		return Text(b[bytes.LastIndexByte(b, sep)+1:])
	}
	for ; i > 0; i-- {
		n := bytes.IndexByte(b, sep)
		if n < 0 {
			return null
		}
		b = b[n+1:]
	}
	if n := bytes.IndexByte(b, sep); n >= 0 {
		b = b[:n]
	}
	return Text(b)
}

// indexTransform finds the offset of a text, from a position on (to it, for the
// last one); -1 if it is not there.
func indexTransform(find func(b, sep []byte) int, last bool) func(*compiler, *varTransform) transformer {
	return func(k *compiler, t *varTransform) transformer {
		what := k.name(t.Args[0])
		var from func(m *Machine) (int, bool)
		if len(t.Args) > 1 {
			if from = k.count(t.Args[1]); from == nil {
				return nil
			}
		}
		if what == nil {
			return nil
		}
		return func(m *Machine, in Value) Value {
			b, start := m.Text(in), 0
			if from != nil {
				var ok bool
				if start, ok = from(m); !ok {
					return null
				}
				if start < 0 {
					start += len(b)
				}
				if start < 0 || start > len(b) {
					return Int(-1)
				}
			}
			w := what(m)
			if last {
				if from != nil {
					b = b[:min(start+len(w), len(b))]
				}
				return Int(int64(find(b, w)))
			}
			if i := find(b[start:], w); i >= 0 {
				return Int(int64(start + i))
			}
			return Int(-1)
		}
	}
}

func fillTransform(left bool) func(*compiler, *varTransform) transformer {
	return func(k *compiler, t *varTransform) transformer {
		if t.Args[0].Var == nil && t.Args[0].Text != strings.TrimSpace(t.Args[0].Text) && len(t.Args[0].Text) > 1 {
			t.Args[0].Text = strings.TrimSpace(t.Args[0].Text)
		}
		fill, n := k.name(t.Args[0]), k.count(t.Args[1])
		if fill == nil || n == nil {
			return nil
		}
		return func(m *Machine, in Value) Value {
			b := m.Text(in)
			width, ok := n(m)
			f := fill(m)
			if !ok || len(f) == 0 || width > maxText {
				return null
			}
			if width <= len(b) {
				return Text(b)
			}
			return m.padded(b, f, width, left)
		}
	}
}

// padded fills b up to a width.
func (m *Machine) padded(b, fill []byte, width int, left bool) Value {
	from := len(m.arena)
	if !left {
		m.arena = append(m.arena, b...)
	}
	for i := range width - len(b) {
		m.arena = append(m.arena, fill[i%len(fill)])
	}
	if left {
		m.arena = append(m.arena, b...)
	}
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}
