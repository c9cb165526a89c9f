package ng

import (
	"errors"
	"fmt"
	"strconv"
)

// Dict is a dictionary in the order in which it is written. Values are string, int64,
// List and Dict.
type Dict []Entry

// Entry is a key of a Dict with its value.
type Entry struct {
	Key   string
	Value any
}

// List is a list of values.
type List []any

// Add appends a key.
func (d *Dict) Add(key string, v any) { *d = append(*d, Entry{key, v}) }

// Get returns the value of a key, nil without one.
func (d Dict) Get(key string) any {
	for i := range d {
		if d[i].Key == key {
			return d[i].Value
		}
	}
	return nil
}

// Text returns the text of a key, "" without one.
func (d Dict) Text(key string) string {
	s, _ := d.Get(key).(string)
	return s
}

// Int returns the number of a key; false: there is none.
func (d Dict) Int(key string) (int64, bool) {
	n, ok := d.Get(key).(int64)
	return n, ok
}

// Dict returns the dictionary of a key, nil without one.
func (d Dict) Dict(key string) Dict {
	in, _ := d.Get(key).(Dict)
	return in
}

// AppendText appends a text in bencoding.
func AppendText(dst []byte, s string) []byte { return appendText(dst, s) }

// Append appends a value in bencoding. Anything else than the values of a Dict is a
// mistake of the caller's.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendText(dst, v)
	case int64:
		return append(strconv.AppendInt(append(dst, 'i'), v, 10), 'e')
	case List:
		dst = append(dst, 'l')
		for _, x := range v {
			dst = Append(dst, x)
		}
	case Dict:
		dst = append(dst, 'd')
		for i := range v {
			dst = Append(appendText(dst, v[i].Key), v[i].Value)
		}
	default:
		panic(fmt.Sprintf("ng: %T cannot be written", v))
	}
	return append(dst, 'e')
}

func appendText(dst []byte, s string) []byte {
	return append(append(strconv.AppendInt(dst, int64(len(s)), 10), ':'), s...)
}

// Bounds of what a peer may send: a datagram holds the rest.
const maxDepth = 16

var (
	errShort = errors.New("ng: the answer ends early")
	errWrong = errors.New("ng: the answer is no bencoding")
	errDeep  = errors.New("ng: the answer is too deep")
)

// Parse reads a dictionary that fills b.
func Parse(b []byte) (Dict, error) {
	p := parser{b}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	d, ok := v.(Dict)
	if !ok || len(p.b) != 0 {
		return nil, errWrong
	}
	return d, nil
}

type parser struct{ b []byte }

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	if len(p.b) == 0 {
		return nil, errShort
	}
	switch c := p.b[0]; {
	case c == 'i':
		p.b = p.b[1:]
		return p.number('e')
	case c == 'l':
		p.b = p.b[1:]
		l := List{}
		for !p.end() {
			v, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			l = append(l, v)
		}
		return l, nil
	case c == 'd':
		p.b = p.b[1:]
		d := Dict{}
		for !p.end() {
			key, err := p.text()
			if err != nil {
				return nil, err
			}
			v, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			d = append(d, Entry{key, v})
		}
		return d, nil
	case c >= '0' && c <= '9':
		return p.text()
	default:
		return nil, errWrong
	}
}

// end takes the end of a list or dictionary, if it is there.
func (p *parser) end() bool {
	if len(p.b) > 0 && p.b[0] == 'e' {
		p.b = p.b[1:]
		return true
	}
	return false
}

func (p *parser) number(stop byte) (int64, error) {
	for i, c := range p.b {
		if c == stop {
			n, err := strconv.ParseInt(string(p.b[:i]), 10, 64) // the string stays on the stack
			if err != nil || p.b[0] == '+' {
				return 0, errWrong
			}
			p.b = p.b[i+1:]
			return n, nil
		}
		if i > 20 {
			return 0, errWrong
		}
	}
	return 0, errShort
}

func (p *parser) text() (string, error) {
	b, err := p.bytes()
	return string(b), err
}

// bytes takes a text, which is borrowed.
func (p *parser) bytes() ([]byte, error) {
	n, err := p.number(':')
	switch {
	case err != nil:
		return nil, err
	case n < 0:
		return nil, errWrong
	case n > int64(len(p.b)):
		return nil, errShort
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b, nil
}
