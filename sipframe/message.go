package sipframe

import "bytes"

// MaxHeaders and MaxVias are how many header lines, and Via values, a message may
// have by default; one more is a defect.
const (
	MaxHeaders = 256
	MaxVias    = 100
)

// Header is one header field of a message. Its spans lie in the message.
type Header struct {
	// Name is what stands before the colon.
	Name Span
	// Value is what stands behind it, without white space at the ends. Line
	// ends of folds in between are as they came.
	Value Span
	// Line is the whole field with its folds and its last line end.
	Line Span
	Kind HeaderKind
}

// Limits bound what a message may have. The zero value has the defaults.
type Limits struct {
	Headers int // header lines; 0 is MaxHeaders
	Vias    int // values of Via; 0 is MaxVias
}

// Message is an index over the bytes of one message. It holds no bytes of its
// own: all it gives out aliases what Parse was given and is valid as long as
// that is. Values are parsed when they are first asked for. It is made to be
// used again and again, then it allocates nothing. One goroutine at a time.
type Message struct {
	// Limits bound what a message may have. They stay from message to message.
	Limits Limits

	raw        []byte
	start      startLine
	headers    []Header
	first      [numHeaderKinds]uint16 // index of the first header of a kind, plus 1
	headersEnd uint32                 // offset of the empty line
	body       uint32                 // offset of the body
	bodyEnd    uint32
	defect     Defect
	broken     bool // defect holds one

	length  contentLength
	done    uint8 // which of the following have been parsed
	errs    [numCached]*Defect
	via     Via
	from    NameAddr
	to      NameAddr
	cseq    cseq
	uri     URI
	contact NameAddr
}

var (
	errNoStartLine  = &Defect{Code: 400, Reason: "No Start Line"}
	errNoEmptyLine  = badRequest("No Empty Line Behind the Header")
	errNoColon      = badRequest("No Colon in Header Line")
	errHeaderName   = badRequest("Bad Header Name")
	errStrayCR      = badRequest("Stray CR in Header")
	errControl      = badRequest("Control Byte in Header")
	errControlFirst = badRequest("Control Byte in First Line")
	errManyHeaders  = badRequest("Too Many Headers")
	errShortBody    = badRequest("Content-Length beyond the End")
)

// Parse indexes one message: the start line at its first byte, the names and
// extents of headers. On a datagram, what follows the body is ignored (RFC 3261
// section 18.3).
//
// The error is a *Defect, the first one that was found, and valid until the
// next Parse. The index then covers what could be understood. If Answerable is
// set it is enough to build a response from, which Validate looks at more closely.
func (m *Message) Parse(frame []byte) error {
	m.Reset()
	m.raw = frame
	eol := bytes.IndexByte(frame, '\n')
	if eol < 0 {
		m.start.line = span(0, len(frame))
		m.body, m.bodyEnd = uint32(len(frame)), uint32(len(frame))
		m.headersEnd = m.body
		return m.note(errNoStartLine)
	}
	end, crlfs := eol, 0
	if end > 0 && frame[end-1] == '\r' {
		end--
		crlfs++
	}
	if d := m.start.parse(frame, end); d != nil {
		m.note(d)
	}
	pos, n := m.index(frame, eol+1)
	crs := bytes.Count(frame[:pos], crByte)
	if crs != n+crlfs {
		m.note(errStrayCR)
	}
	if countControls(frame[:pos]) != crs+bytes.Count(frame[:pos], lfByte) {
		m.checkControls() // there is a tab, or something worse
	}
	m.body = uint32(pos)
	m.bodyEnd = uint32(len(frame))
	if m.length.err != nil {
		m.note(m.length.err)
	} else if m.length.present {
		if m.length.n > len(frame)-pos {
			m.note(errShortBody)
		} else {
			m.bodyEnd = uint32(pos + m.length.n)
		}
	}
	if m.broken {
		m.defect.Answerable = m.defect.Answerable && m.start.request
		return &m.defect
	}
	return nil
}

// index goes through the header lines from pos on. It gives the offset behind
// the empty line and how many lines ended in CR LF.
func (m *Message) index(b []byte, pos int) (end, crlfs int) {
	if pos < len(b) && isBlank(b[pos]) {
		m.note(errFoldedStart)
	}
	for pos < len(b) {
		line, eol := pos, -1
		m.headersEnd = uint32(pos)
		if b[pos] == '\n' {
			return pos + 1, crlfs
		}
		if b[pos] == '\r' && pos+1 < len(b) && b[pos+1] == '\n' {
			return pos + 2, crlfs + 1
		}
		for {
			n := bytes.IndexByte(b[pos:], '\n')
			if n < 0 {
				pos = len(b)
				break
			}
			pos += n + 1
			if n > 0 && b[pos-2] == '\r' {
				crlfs++
			}
			if eol < 0 {
				eol = pos - 1
			}
			if pos == len(b) || !isBlank(b[pos]) {
				break
			}
		}
		if eol < 0 {
			eol = pos
		}
		if !isBlank(b[line]) { // else a fold of the start line: belongs to no header
			m.add(b, line, eol, pos)
		}
	}
	m.headersEnd = uint32(pos)
	m.note(errNoEmptyLine)
	return pos, crlfs
}

// add indexes the header that stands in b[line:end]; eol is the end of its first
// line, on which the colon has to be.
func (m *Message) add(b []byte, line, eol, end int) {
	n := len(m.headers)
	if n >= m.maxHeaders() {
		m.note(errManyHeaders)
		m.addNeeded(b, line, eol, end)
		return
	}
	m.append(b, line, eol, end)
}

func (m *Message) maxHeaders() int {
	if m.Limits.Headers > 0 {
		return m.Limits.Headers
	}
	return MaxHeaders
}

// addNeeded indexes a header beyond the limit if a response to the message needs it: a
// Via, or the only From, To, Call-ID or CSeq.
func (m *Message) addNeeded(b []byte, line, eol, end int) {
	name := line + indexColon(b[line:eol])
	for name > line && isBlank(b[name-1]) {
		name--
	}
	switch kind := HeaderKindOf(b[line:name]); kind {
	case HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq:
		if m.first[kind] > 0 {
			return
		}
	case HeaderVia:
	case HeaderContentLength: // where the message ends
	default:
		return
	}
	m.append(b, line, eol, end)
}

// append indexes a header.
func (m *Message) append(b []byte, line, eol, end int) {
	n := len(m.headers)
	if n == cap(m.headers) {
		m.headers = append(make([]Header, 0, max(2*n, 48)), m.headers...)
	}
	m.headers = m.headers[:n+1]
	h := &m.headers[n]
	h.Line = span(line, end)
	colon := line + indexColon(b[line:eol])
	if colon == eol {
		m.note(errNoColon)
		h.Name, h.Value, h.Kind = Span{}, trimmed(b, line, end), OtherHeader
		return
	}
	name := colon
	for name > line && isBlank(b[name-1]) {
		name--
	}
	kind := HeaderKindOf(b[line:name])
	h.Name = span(line, name)
	h.Value = trimmed(b, colon+1, end)
	h.Kind = kind
	if m.first[kind] == 0 {
		m.first[kind] = uint16(n + 1)
	}
	if kind == HeaderContentLength {
		m.length.add(h.Value.In(b))
	} else if kind == OtherHeader && !IsToken(b[line:name]) {
		m.note(errHeaderName)
	}
}

// note keeps the first defect.
func (m *Message) note(d *Defect) error {
	if !m.broken {
		m.broken = true
		m.defect = *d
	}
	return &m.defect
}

// Reset lets go of the message.
func (m *Message) Reset() {
	m.raw = nil
	m.start = startLine{}
	if m.headers = m.headers[:0]; cap(m.headers) > 4*MaxHeaders && cap(m.headers) > 4*m.maxHeaders() {
		m.headers = nil // one message had very many
	}
	m.first = [numHeaderKinds]uint16{}
	m.headersEnd, m.body, m.bodyEnd = 0, 0, 0
	m.broken, m.done = false, 0
	m.length = contentLength{}
}

// Defect gives what Parse found, nil if nothing.
func (m *Message) Defect() *Defect {
	if m.broken {
		return &m.defect
	}
	return nil
}

// Raw gives what Parse was given.
func (m *Message) Raw() []byte { return m.raw }

// Bytes gives the bytes of a span.
func (m *Message) Bytes(s Span) []byte { return s.In(m.raw) }

// IsRequest tells a request from a response.
func (m *Message) IsRequest() bool { return m.start.request }

// Method gives the request's method; OtherMethod for a response.
func (m *Message) Method() Method { return m.start.method }

// MethodName gives the method as it stands in the request; nil for a response.
func (m *Message) MethodName() []byte {
	if !m.start.request {
		return nil
	}
	return m.Bytes(m.start.word)
}

// RequestURI gives the Request-URI; nil for a response.
func (m *Message) RequestURI() []byte {
	if !m.start.request {
		return nil
	}
	return m.Bytes(m.start.target)
}

// RequestURISpan tells where the Request-URI stands.
func (m *Message) RequestURISpan() Span {
	if !m.start.request {
		return Span{}
	}
	return m.start.target
}

// StatusCode gives 100 to 699 for a response, 0 for a request.
func (m *Message) StatusCode() int { return m.start.code }

// ReasonPhrase gives the text behind the status code, often empty; nil for a request.
func (m *Message) ReasonPhrase() []byte {
	if m.start.request {
		return nil
	}
	return m.Bytes(m.start.rest)
}

// Version gives the SIP-Version as it stands in the start line.
func (m *Message) Version() []byte { return m.Bytes(m.VersionSpan()) }

// VersionSpan tells where the SIP-Version stands in the start line.
func (m *Message) VersionSpan() Span {
	if m.start.request {
		return m.start.rest
	}
	return m.start.word
}

// FirstLine tells where the start line stands, without its line end.
func (m *Message) FirstLine() Span { return m.start.line }

// Body gives the body: as many bytes as Content-Length says, all that is left
// if there is none.
func (m *Message) Body() []byte { return m.raw[m.body:m.bodyEnd:m.bodyEnd] }

// BodyOffset gives the offset behind the empty line.
func (m *Message) BodyOffset() uint32 { return m.body }
