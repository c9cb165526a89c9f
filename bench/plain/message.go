package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// message is a SIP message: its first line, its headers in order and its body.
type message struct {
	first   string
	headers []header
	body    []byte
}

type header struct{ name, value string }

type reader struct{ *bufio.Reader }

func newReader(r io.Reader) reader { return reader{bufio.NewReader(r)} }

// next reads one message. A list on one line becomes a header each.
func (r reader) next() (*message, error) {
	lines := textproto.Reader{R: r.Reader}
	m := &message{}
	for m.first == "" {
		line, err := lines.ReadLine()
		if err != nil {
			return nil, err
		}
		m.first = line
	}
	for {
		line, err := lines.ReadContinuedLine()
		if err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, errors.New("a header without a colon")
		}
		name = strings.TrimSpace(name)
		switch strings.ToLower(name) {
		case "via", "route", "record-route": // commas are nowhere else in what the loads send
			for part := range strings.SplitSeq(value, ",") {
				m.headers = append(m.headers, header{name, strings.TrimSpace(part)})
			}
		default:
			m.headers = append(m.headers, header{name, strings.TrimSpace(value)})
		}
	}
	n, err := strconv.Atoi(m.get("Content-Length"))
	if err != nil || n < 0 || n > 65535 {
		return nil, errors.New("wrong Content-Length")
	}
	m.body = make([]byte, n)
	_, err = io.ReadFull(r, m.body)
	return m, err
}

func (m *message) request() bool { return !strings.HasPrefix(m.first, "SIP/2.0 ") }

func (m *message) method() string {
	method, _, _ := strings.Cut(m.first, " ")
	return method
}

func (m *message) uri() string {
	_, rest, _ := strings.Cut(m.first, " ")
	uri, _, _ := strings.Cut(rest, " ")
	return uri
}

// index finds the first header of a name, -1 if there is none.
func (m *message) index(name string) int {
	for i, h := range m.headers {
		if strings.EqualFold(h.name, name) {
			return i
		}
	}
	return -1
}

func (m *message) get(name string) string {
	if i := m.index(name); i >= 0 {
		return m.headers[i].value
	}
	return ""
}

func (m *message) set(name, value string) {
	if i := m.index(name); i >= 0 {
		m.headers[i].value = value
	}
}

// drop takes out the first header of a name.
func (m *message) drop(name string) {
	if i := m.index(name); i >= 0 {
		m.headers = append(m.headers[:i], m.headers[i+1:]...)
	}
}

func (m *message) prepend(name, value string) {
	m.headers = append([]header{{name, value}}, m.headers...)
}

// reply makes the response to a request.
func (m *message) reply(status string) *message {
	r := &message{first: "SIP/2.0 " + status}
	for _, h := range m.headers {
		switch strings.ToLower(h.name) {
		case "via", "from", "call-id", "cseq":
			r.headers = append(r.headers, h)
		case "to":
			if param(h.value, "tag") == "" {
				h.value += ";tag=plain"
			}
			r.headers = append(r.headers, h)
		}
	}
	r.headers = append(r.headers, header{"Content-Length", "0"})
	return r
}

func (m *message) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(m.first)
	b.WriteString("\r\n")
	for _, h := range m.headers {
		b.WriteString(h.name)
		b.WriteString(": ")
		b.WriteString(h.value)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	b.Write(m.body)
	return b.Bytes()
}

// address is the URI of a name-addr.
func address(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		value, _, _ = strings.Cut(rest, ">")
	}
	return value
}

// hostPort is the host and port of a SIP URI.
func hostPort(uri string) string {
	_, rest, _ := strings.Cut(uri, ":")
	rest, _, _ = strings.Cut(rest, ";")
	if _, host, ok := strings.Cut(rest, "@"); ok {
		rest = host
	}
	return rest
}

// param is a header parameter's value.
func param(value, name string) string {
	if i := strings.LastIndexByte(value, '>'); i >= 0 {
		value = value[i:]
	}
	for part := range strings.SplitSeq(value, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(part), name+"="); ok {
			return v
		}
	}
	return ""
}

// withSource notes in a Via value where the request came from, if that is asked for (RFC 3581).
func withSource(via, addr string) string {
	before, after, ok := strings.Cut(via, ";rport")
	if !ok || after != "" && after[0] != ';' {
		return via
	}
	host, port, _ := strings.Cut(addr, ":")
	return before + ";received=" + host + ";rport=" + port + after
}

// source is where a response goes by its Via.
func source(via string) string {
	if port := param(via, "rport"); port != "" {
		return param(via, "received") + ":" + port
	}
	_, sentBy, _ := strings.Cut(via, " ")
	sentBy, _, _ = strings.Cut(sentBy, ";")
	return sentBy
}
