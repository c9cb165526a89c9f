package body

import (
	"bytes"

	"sipreactor/sipframe"
)

// Boundary gives the boundary of a multipart Content-Type (RFC 2046 5.1.1);
// multi is false for any other.
func Boundary(typ []byte) (boundary []byte, multi bool) {
	name, params, _ := bytes.Cut(typ, []byte{';'})
	name = bytes.TrimSpace(name)
	if len(name) < 10 || !sipframe.EqualFold(name[:10], "multipart/") {
		return nil, false
	}
	value, ok := sipframe.FindParam(params, "boundary")
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return value, ok && len(value) > 0
}

// Parts goes through the parts of a multipart body.
type Parts struct {
	body     []byte
	boundary []byte
	at       int // behind the delimiter of the part that is next; 0 before the first
	fields   int // of its header lines
	n        int

	// Begin is the offset of the part's delimiter line, Head that of its content, and End
	// that behind its content, before the line end that belongs to the next delimiter.
	Begin, Head, End int
}

// NewParts begins with the parts of a body; Next goes to the first.
func NewParts(body, boundary []byte) Parts { return Parts{body: body, boundary: boundary} }

// maxParts bounds the parts that are looked at.
const maxParts = 64

// Next goes to the next part.
func (p *Parts) Next() bool {
	if p.at == 0 {
		begin, after, last := p.Delimiter(0)
		if begin < 0 || last {
			return false
		}
		p.Begin, p.at = begin, after
	} else if begin, after, last := p.Delimiter(p.End); begin < 0 || last || p.n >= maxParts {
		return false
	} else {
		p.Begin, p.at = begin, after
	}
	p.n++
	stop, _, _ := p.Delimiter(p.at)
	if stop < 0 {
		return false
	}
	p.fields = p.at
	p.End = p.lineEndBefore(stop)
	p.End = max(p.End, p.fields)
	p.Head = p.fields
	for p.Head < p.End {
		line, _ := Line(p.body[p.Head:p.End])
		length := len(line)
		p.Head = min(p.Head+length+lineEnd(p.body[p.Head+length:p.End]), p.End)
		if length == 0 {
			break
		}
	}
	return true
}

// lineEnd gives the length of the line end that b begins with.
func lineEnd(b []byte) int {
	switch {
	case len(b) > 1 && b[0] == '\r' && b[1] == '\n':
		return 2
	case len(b) > 0 && b[0] == '\n':
		return 1
	default:
		return 0
	}
}

// lineEndBefore gives the offset of the line end that ends at i.
func (p *Parts) lineEndBefore(i int) int {
	if i > 0 && p.body[i-1] == '\n' {
		i--
		if i > 0 && p.body[i-1] == '\r' {
			i--
		}
	}
	return i
}

// Delimiter finds the next delimiter line from an offset on: where it begins,
// what stands behind it, and whether it closes the body. -1 if there is none.
func (p *Parts) Delimiter(from int) (begin, after int, last bool) {
	for i := from; i < len(p.body); {
		n := bytes.Index(p.body[i:], p.boundary)
		if n < 2 {
			if n < 0 {
				return -1, 0, false
			}
			i += n + 1
			continue
		}
		at := i + n - 2
		i += n + len(p.boundary)
		if p.body[at] != '-' || p.body[at+1] != '-' || at > 0 && p.body[at-1] != '\n' {
			continue
		}
		rest := p.body[i:]
		if bytes.HasPrefix(rest, []byte("--")) {
			return at, i + 2, true
		}
		blank := len(rest) - len(bytes.TrimLeft(rest, " \t"))
		if end := lineEnd(rest[blank:]); end > 0 {
			return at, i + blank + end, false
		}
	}
	return -1, 0, false
}

// Header gives the value of a header of the part, nil if it has none.
func (p *Parts) Header(name string) []byte {
	for rest := p.body[p.fields:p.Head]; len(rest) > 0; {
		var line []byte
		line, rest = Line(rest)
		n, value, ok := bytes.Cut(line, []byte{':'})
		if ok && sipframe.EqualFold(bytes.TrimSpace(n), name) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}

// Type gives the part's Content-Type (RFC 2046 5.1: text/plain without one).
func (p *Parts) Type() []byte {
	if t := p.Header("Content-Type"); t != nil {
		return t
	}
	if t := p.Header("c"); t != nil {
		return t
	}
	return []byte("text/plain")
}

// Content returns what stands behind the header lines.
func (p *Parts) Content() []byte { return p.body[p.Head:p.End] }

// Alone tells whether the part can be a body of its own: it has no headers that
// would be lost.
func (p *Parts) Alone() bool {
	for rest := p.body[p.fields:p.Head]; len(rest) > 0; {
		var line []byte
		line, rest = Line(rest)
		name, _, _ := bytes.Cut(line, []byte{':'})
		name = bytes.TrimSpace(name)
		if len(name) > 0 && !sipframe.EqualFold(name, "Content-Type") && !sipframe.EqualFold(name, "c") && !sipframe.EqualFold(name, "Content-Length") {
			return false
		}
	}
	return true
}
