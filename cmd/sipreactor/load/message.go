package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// Message is one SIP message as the loader reads it. Every slice is a view of the bytes given to Parse and is
// valid as long as they are.
type Message struct {
	Request bool
	Method  []byte // of a request
	URI     []byte // of a request
	Status  int    // of a response, 100 to 699

	Vias         [][]byte // topmost first
	From, To     []byte
	CallID       []byte
	CSeq         []byte // number and method
	Contact      []byte // first one
	Challenge    []byte // WWW-Authenticate, the first one
	MaxForwards  []byte
	Routes       [][]byte // topmost first
	RecordRoutes [][]byte // topmost first
	Body         []byte

	length int // Content-Length, -1 without one
}

var (
	errHead   = errors.New("load: header section is not SIP")
	errLength = errors.New("load: Content-Length is missing or wrong")
)

// Parse reads a whole message. The slices of the Message are reused from call to call.
func (m *Message) Parse(raw []byte) error {
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 {
		return errHead
	}
	if err := m.parseHead(raw[:end+2]); err != nil {
		return err
	}
	m.Body = raw[end+4:]
	if m.length != len(m.Body) {
		return fmt.Errorf("%w: %d, the body has %d bytes", errLength, m.length, len(m.Body))
	}
	return nil
}

func (m *Message) parseHead(head []byte) error {
	*m = Message{
		Vias: m.Vias[:0], Routes: m.Routes[:0], RecordRoutes: m.RecordRoutes[:0], length: -1,
	}
	line, rest := cutLine(head)
	if err := m.parseStart(line); err != nil {
		return err
	}
	for len(rest) > 0 {
		line, rest = cutLine(rest)
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') { // folded
			more, after := cutLine(rest)
			line = line[:len(line)+2+len(more)]
			rest = after
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return fmt.Errorf("%w: line %q", errHead, line)
		}
		if err := m.header(bytes.TrimRight(name, " \t"), bytes.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}

func (m *Message) parseStart(line []byte) error {
	first, rest, ok := bytes.Cut(line, []byte(" "))
	second, third, ok2 := bytes.Cut(rest, []byte(" "))
	switch {
	case !ok:
		return fmt.Errorf("%w: start line %q", errHead, line)
	case string(first) == "SIP/2.0":
		status, err := strconv.Atoi(string(second))
		if err != nil || status < 100 || status > 699 {
			return fmt.Errorf("%w: start line %q", errHead, line)
		}
		m.Status = status
	case ok2 && string(third) == "SIP/2.0":
		m.Request, m.Method, m.URI = true, first, second
	default:
		return fmt.Errorf("%w: start line %q", errHead, line)
	}
	return nil
}

func (m *Message) header(name, value []byte) error {
	switch {
	case is(name, "via", "v"):
		m.Vias = appendList(m.Vias, value)
	case is(name, "route", ""):
		m.Routes = appendList(m.Routes, value)
	case is(name, "record-route", ""):
		m.RecordRoutes = appendList(m.RecordRoutes, value)
	case is(name, "from", "f"):
		m.From = value
	case is(name, "to", "t"):
		m.To = value
	case is(name, "call-id", "i"):
		m.CallID = value
	case is(name, "cseq", ""):
		m.CSeq = value
	case is(name, "contact", "m"):
		if m.Contact == nil {
			m.Contact = value
		}
	case is(name, "www-authenticate", ""):
		if m.Challenge == nil {
			m.Challenge = value
		}
	case is(name, "max-forwards", ""):
		m.MaxForwards = value
	case is(name, "content-length", "l"):
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 0 || m.length >= 0 && m.length != n {
			return fmt.Errorf("%w: %q", errLength, value)
		}
		m.length = n
	}
	return nil
}

// CSeqMethod is the method of the transaction that a response answers.
func (m *Message) CSeqMethod() []byte {
	_, method, _ := bytes.Cut(m.CSeq, []byte(" "))
	return bytes.TrimSpace(method)
}

// is compares a header name with its long and compact form, both in lower case.
func is(name []byte, long, compact string) bool {
	return len(name) == len(long) && bytes.EqualFold(name, []byte(long)) ||
		len(name) == 1 && compact != "" && name[0]|0x20 == compact[0]
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\r\n"))
	return line, rest
}

// appendList splits a comma list outside of quotes and angle brackets.
func appendList(list [][]byte, value []byte) [][]byte {
	quoted, angled, start := false, false, 0
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angled = true
		case c == '>':
			angled = false
		case c == ',' && !angled:
			list = append(list, bytes.TrimSpace(value[start:i]))
			start = i + 1
		}
	}
	return append(list, bytes.TrimSpace(value[start:]))
}

// param finds a header parameter such as branch or tag, nil when it is not there.
func param(value []byte, name string) []byte {
	if end := bytes.LastIndexByte(value, '>'); end >= 0 {
		value = value[end+1:]
	}
	for len(value) > 0 {
		var part []byte
		part, value, _ = bytes.Cut(value, []byte(";"))
		key, v, _ := bytes.Cut(part, []byte("="))
		if key = bytes.TrimSpace(key); len(key) == len(name) && bytes.EqualFold(key, []byte(name)) {
			return bytes.TrimSpace(v)
		}
	}
	return nil
}

// addressURI is the URI of a name-addr or addr-spec.
func addressURI(value []byte) []byte {
	if _, after, ok := bytes.Cut(value, []byte("<")); ok {
		uri, _, _ := bytes.Cut(after, []byte(">"))
		return uri
	}
	uri, _, _ := bytes.Cut(value, []byte(";"))
	return bytes.TrimSpace(uri)
}
