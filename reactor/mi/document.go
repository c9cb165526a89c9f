package mi

import "strings"

// document follows a JSON text byte by byte and tells at once when it can no
// longer become one (RFC 8259). Numbers are taken leniently: not their value
// matters here but what may follow them. The zero value expects the first byte.
type document struct {
	state   docState
	name    bool   // the string is a key
	hex     int    // digits that are left of a \u escape
	literal string // what is left of true, false or null
	open    []byte // the brackets that are open
}

// docState is what a document expects next.
type docState uint8

const (
	docValue     docState = iota // a value
	docFirstItem                 // a value or ]
	docFirstKey                  // a key or }
	docKey                       // a key
	docColon                     // the colon behind a key
	docNext                      // a comma or the bracket that closes
	docString                    // the rest of a string
	docEscape                    // what stands behind a backslash
	docNumber                    // the rest of a number
	docLiteral                   // the rest of a literal
	docWhole                     // nothing but space
)

// maxNesting bounds the brackets that are open at once, as encoding/json does.
const maxNesting = 10000

// take adds a byte and reports whether the text can still become a document.
// Behind a byte that cannot be, the state means nothing.
func (d *document) take(ch byte) bool {
	switch d.state {
	case docString:
		return d.text(ch)
	case docEscape:
		d.state = docString
		if ch == 'u' {
			d.hex = 4
		}
		return strings.IndexByte(`"\/bfnrtu`, ch) >= 0
	case docLiteral:
		ok := ch == d.literal[0]
		if d.literal = d.literal[1:]; d.literal == "" {
			d.end()
		}
		return ok
	case docNumber:
		if strings.IndexByte("0123456789+-.eE", ch) >= 0 {
			return true
		}
		d.end()
	default: // space may stand before what these expect
	}
	if ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n' {
		return true
	}
	switch d.state {
	case docFirstItem:
		if ch == ']' {
			return d.close(ch)
		}
		return d.value(ch)
	case docValue:
		return d.value(ch)
	case docFirstKey, docKey:
		if ch == '}' && d.state == docFirstKey {
			return d.close(ch)
		}
		d.state, d.name = docString, true
		return ch == '"'
	case docColon:
		d.state = docValue
		return ch == ':'
	case docNext:
		if ch != ',' {
			return d.close(ch)
		}
		d.state = docValue
		if d.open[len(d.open)-1] == '{' {
			d.state = docKey
		}
		return true
	default:
		return false
	}
}

// value begins a value.
func (d *document) value(ch byte) bool {
	switch {
	case ch == '{' || ch == '[':
		d.open = append(d.open, ch)
		d.state = docFirstItem
		if ch == '{' {
			d.state = docFirstKey
		}
		return len(d.open) <= maxNesting
	case ch == '"':
		d.state, d.name = docString, false
	case ch == '-' || '0' <= ch && ch <= '9':
		d.state = docNumber
	case ch == 't':
		d.state, d.literal = docLiteral, "true"[1:]
	case ch == 'f':
		d.state, d.literal = docLiteral, "false"[1:]
	case ch == 'n':
		d.state, d.literal = docLiteral, "null"[1:]
	default:
		return false
	}
	return true
}

// text takes a byte of a string.
func (d *document) text(ch byte) bool {
	switch {
	case d.hex > 0:
		d.hex--
		return '0' <= ch && ch <= '9' || 'a' <= ch|0x20 && ch|0x20 <= 'f'
	case ch == '\\':
		d.state = docEscape
	case ch == '"' && d.name:
		d.state = docColon
	case ch == '"':
		d.end()
	}
	return ch >= ' '
}

// close takes the bracket that closes.
func (d *document) close(ch byte) bool {
	last := len(d.open) - 1
	ok := last >= 0 && d.open[last] == ch-2 // { and }, [ and ] are two apart
	if last >= 0 {
		d.open = d.open[:last]
	}
	d.end()
	return ok
}

// end is the end of a value.
func (d *document) end() {
	d.state = docNext
	if len(d.open) == 0 {
		d.state = docWhole
	}
}
