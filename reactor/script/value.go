package script

import (
	"strconv"

	"sipreactor/sipframe"
)

// valueKind is what a value is.
type valueKind uint8

const (
	nullValue valueKind = iota
	intValue
	textValue
)

// Value is what a variable or an expression stands for while a message is
// handled: NULL, which the zero value is, a number or a text. The text is a view: into
// the message, the program or the arena.
type Value struct {
	kind valueKind
	n    int64
	s    []byte
}

var null Value

// Int makes a number.
func Int(n int64) Value { return Value{kind: intValue, n: n} }

// Text makes a text of what lasts until the message is done: a view of the message,
// something constant, or what Machine.Keep gave.
func Text(b []byte) Value { return Value{kind: textValue, s: b} }

// truth tells whether a condition that is the value holds: a number that is not
// 0, or a text that is not empty.
func (v Value) truth() bool {
	return v.kind == intValue && v.n != 0 || v.kind == textValue && len(v.s) > 0
}

// Text gives the value as Text; a number is written into the arena. null is
// empty.
func (m *Machine) Text(v Value) []byte {
	if v.kind != intValue {
		return v.s
	}
	from := len(m.arena)
	m.arena = strconv.AppendInt(m.arena, v.n, 10)
	return m.arena[from:len(m.arena):len(m.arena)]
}

// Keep copies bytes into the arena, where they stay until the message is done.
func (m *Machine) Keep(b []byte) []byte {
	from := len(m.arena)
	m.arena = append(m.arena, b...)
	return m.arena[from:len(m.arena):len(m.arena)]
}

// KeepString is keep for a string.
func (m *Machine) KeepString(s string) []byte {
	from := len(m.arena)
	m.arena = append(m.arena, s...)
	return m.arena[from:len(m.arena):len(m.arena)]
}

// Borrow returns an empty buffer that the machine keeps from message to message, for a
// text that is put together; Return gives it back, as it has grown. Who borrows it
// meanwhile gets another one.
func (m *Machine) Borrow() []byte {
	w := m.work[:0]
	m.work = nil
	return w
}

// Return gives back what Borrow gave. It may be read until the next Borrow.
func (m *Machine) Return(w []byte) { m.work = w }

// Join puts parts together in the arena.
func (m *Machine) Join(parts ...[]byte) []byte {
	from := len(m.arena)
	for _, p := range parts {
		m.arena = append(m.arena, p...)
	}
	return m.arena[from:len(m.arena):len(m.arena)]
}

// number reads text as a decimal number with an optional sign.
func number64(b []byte) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	n, ok := sipframe.ParseUint(b, 1<<63-1)
	if neg {
		return -int64(n), ok
	}
	return int64(n), ok
}

// IsNull reports whether the value is NULL.
func (v Value) IsNull() bool { return v.kind == nullValue }

// IsNumber reports whether the value is a number, not a text that looks like one.
func (v Value) IsNumber() bool { return v.kind == intValue }

// Int gives the value as a number; text that is one counts.
func (v Value) Int() (int64, bool) {
	switch v.kind {
	case intValue:
		return v.n, true
	case textValue:
		return number64(v.s)
	default:
		return 0, false
	}
}

// compareFold orders texts without regard to the case of ASCII letters.
func compareFold(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
