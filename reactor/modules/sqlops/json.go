package sqlops

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/query"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// The arguments in JSON of sql_select() and its kind are read when the script is:
// a variable in a string of it is a part of that string, and one outside of strings is a
// number or NULL. What a message brings changes neither columns nor operators. An
// argument that is a variable as a whole is read for each message.

// Marks of variables while JSON is read.
const (
	markText   = '\ue000' // in a string
	markNumber = '\ue001' // in the place of a value
	markEnd    = '\ue002'
)

// text is a text with variables in it.
type text struct {
	pieces []piece
	null   bool // NULL, and no text
}

type piece struct {
	plain   string
	get     func(m *script.Machine) script.Value // nil: it is plain
	name    string
	escaped bool
	number  bool // outside of quotes
}

// pair is a column with an operator and a value.
type pair struct {
	column text
	op     string
	value  text
}

var errNumber = errors.New("stands outside of quotes and is neither a number nor NULL")

// resolve gives the value that a text has for a message.
func (t *text) resolve(m *script.Machine) (store.Value, error) {
	if t.null {
		return store.Null, nil
	}
	var b strings.Builder
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.get == nil {
			b.WriteString(p.plain)
			continue
		}
		v := p.get(m)
		switch {
		case p.number && v.IsNull():
			return store.Null, nil
		case p.number:
			n, ok := v.Int()
			if !ok {
				return store.Null, fmt.Errorf("%s %w", p.name, errNumber)
			}
			return store.Int(n), nil
		case v.IsNull():
			b.WriteString("<null>")
		case p.escaped:
			b.WriteString(query.Unescape(string(m.Text(v))))
		default:
			b.Write(m.Text(v))
		}
	}
	return store.String(b.String()), nil
}

// mark puts marks in the place of variables, so that what is around them can be read
// as JSON.
func mark(list []script.Fragment) string {
	var b strings.Builder
	inString, skip := false, false
	for i, f := range list {
		if f.Get != nil {
			if inString {
				fmt.Fprintf(&b, "%c%d%c", markText, i, markEnd)
			} else {
				fmt.Fprintf(&b, `"%c%d%c"`, markNumber, i, markEnd)
			}
			continue
		}
		for _, c := range f.Text {
			switch {
			case skip:
				skip = false
			case c == '\\' && inString:
				skip = true
			case c == '"':
				inString = !inString
			}
		}
		b.WriteString(f.Text)
	}
	return b.String()
}

// unmark makes a text of a string with marks.
func unmark(s string, list []script.Fragment) text {
	var t text
	for s != "" {
		at := strings.IndexFunc(s, func(r rune) bool { return r == markText || r == markNumber })
		if at < 0 {
			break
		}
		if at > 0 {
			t.pieces = append(t.pieces, piece{plain: s[:at]})
		}
		number := strings.HasPrefix(s[at:], string(markNumber))
		digits, rest, ok := strings.Cut(s[at+len(string(markText)):], string(markEnd))
		i, err := strconv.Atoi(digits)
		if !ok || err != nil || i >= len(list) || list[i].Get == nil {
			return text{pieces: []piece{{plain: s}}} // the script has such a character
		}
		t.pieces = append(t.pieces, piece{get: list[i].Get, name: list[i].Text, escaped: list[i].Escaped, number: number})
		s = rest
	}
	if s != "" || len(t.pieces) == 0 {
		t.pieces = append(t.pieces, piece{plain: s})
	}
	return t
}

// reader reads JSON in which variables are marked.
type reader struct {
	*json.Decoder
	list []script.Fragment
}

func newReader(s string, list []script.Fragment) *reader {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	return &reader{d, list}
}

func (r *reader) delim(want json.Delim) error {
	t, err := r.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("found %v, expected %v", t, want)
	}
	return nil
}

// value reads a string, a number or null.
func (r *reader) value() (text, error) {
	t, err := r.Token()
	if err != nil {
		return text{}, err
	}
	switch t := t.(type) {
	case nil:
		return text{null: true}, nil
	case string:
		return unmark(t, r.list), nil
	case json.Number:
		return text{pieces: []piece{{plain: t.String()}}}, nil
	default:
		return text{}, fmt.Errorf("found %v, expected a string, a number or null", t)
	}
}

// end makes sure that nothing follows.
func (r *reader) end() error {
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// columns reads ["a","b"].
func columns(s string, list []script.Fragment) (names []text, err error) {
	r := newReader(s, list)
	if err := r.delim('['); err != nil {
		return nil, err
	}
	for r.More() {
		t, err := r.value()
		if err != nil {
			return nil, err
		}
		names = append(names, t)
	}
	if err := r.delim(']'); err != nil {
		return nil, err
	}
	return names, r.end()
}

// pairs reads [{"column":value},{"column":{"operator":value}}].
func pairs(s string, list []script.Fragment, operators bool) (all []pair, err error) {
	r := newReader(s, list)
	if err := r.delim('['); err != nil {
		return nil, err
	}
	for r.More() {
		if err := r.delim('{'); err != nil {
			return nil, err
		}
		for r.More() {
			p, err := r.pair(s, operators)
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
		if err := r.delim('}'); err != nil {
			return nil, err
		}
	}
	if err := r.delim(']'); err != nil {
		return nil, err
	}
	return all, r.end()
}

func (r *reader) pair(s string, operators bool) (p pair, err error) {
	if p.column, err = r.value(); err != nil {
		return p, err
	}
	rest := strings.TrimLeft(s[r.InputOffset():], " \t\r\n:")
	if !operators || !strings.HasPrefix(rest, "{") {
		p.value, err = r.value()
		return p, err
	}
	if err = r.delim('{'); err != nil {
		return p, err
	}
	op, err := r.Token()
	if err != nil {
		return p, err
	}
	p.op, _ = op.(string)
	if p.value, err = r.value(); err != nil {
		return p, err
	}
	return p, r.delim('}')
}
