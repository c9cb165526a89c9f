package script

import (
	"bytes"
	"strconv"

	"sipreactor/sipframe"
)

// boundaryOf gives the boundary of a multipart Content-Type (RFC 2046 5.1.1);
// multi is false for any other.
func boundaryOf(typ []byte) (boundary []byte, multi bool) {
	name, params, _ := bytes.Cut(typ, []byte{';'})
	name = bytes.TrimSpace(name)
	if len(name) < 10 || !sipframe.EqualFold(name[:10], "multipart/") {
		return nil, false
	}
	value, ok := sipframe.FindParam(params, "boundary")
	value = unquoted(value)
	return value, ok && len(value) > 0
}

// partIter goes through the parts of a multipart body.
type partIter struct {
	body     []byte
	boundary []byte
	at       int // behind the delimiter of the part that is next; 0 before the first
	begin    int // of the part: its delimiter line
	fields   int // of its header lines
	head     int // of its content
	end      int // of its content, before the line end that belongs to the next delimiter
	n        int
}

// maxParts bounds the parts that are looked at.
const maxParts = 64

// next goes to the next part.
func (p *partIter) next() bool {
	if p.at == 0 {
		begin, after, last := p.delimiter(0)
		if begin < 0 || last {
			return false
		}
		p.begin, p.at = begin, after
	} else if begin, after, last := p.delimiter(p.end); begin < 0 || last || p.n >= maxParts {
		return false
	} else {
		p.begin, p.at = begin, after
	}
	p.n++
	stop, _, _ := p.delimiter(p.at)
	if stop < 0 {
		return false
	}
	p.fields = p.at
	p.end = p.lineEndBefore(stop)
	p.end = max(p.end, p.fields)
	p.head = p.fields
	for p.head < p.end {
		line, _ := sdpLine(p.body[p.head:p.end])
		length := len(line)
		p.head = min(p.head+length+lineEnd(p.body[p.head+length:p.end]), p.end)
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
func (p *partIter) lineEndBefore(i int) int {
	if i > 0 && p.body[i-1] == '\n' {
		i--
		if i > 0 && p.body[i-1] == '\r' {
			i--
		}
	}
	return i
}

// delimiter finds the next delimiter line from an offset on: where it begins,
// what stands behind it, and whether it closes the body. -1 if there is none.
func (p *partIter) delimiter(from int) (begin, after int, last bool) {
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

// header gives the value of a header of the part, nil if it has none.
func (p *partIter) header(name string) []byte {
	for rest := p.body[p.fields:p.head]; len(rest) > 0; {
		var line []byte
		line, rest = sdpLine(rest)
		n, value, ok := bytes.Cut(line, []byte{':'})
		if ok && sipframe.EqualFold(bytes.TrimSpace(n), name) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}

// typ gives the part's Content-Type (RFC 2046 5.1: text/plain without one).
func (p *partIter) typ() []byte {
	if t := p.header("Content-Type"); t != nil {
		return t
	}
	if t := p.header("c"); t != nil {
		return t
	}
	return []byte("text/plain")
}

func (p *partIter) content() []byte { return p.body[p.head:p.end] }

// partFunctions of sipmsgops look at the parts of the body as it stands, and
// change it.
func partFunctions() map[string]*Function {
	return map[string]*Function{
		"has_body_part": {module: "sipmsgops", Usage: `has_body_part(["application/sdp"])`, Args: []ArgKind{TextArg}, Routes: Messages, Build: func(a *Args) Action {
			mime := a.list[0]
			return func(m *Machine) int {
				var want []byte
				if mime.given {
					var ok bool
					if want, ok = mime.text(m); !ok {
						return -1
					}
				}
				return Yes(m.hasPart(want))
			}
		}},
		"remove_body_part": {module: "sipmsgops", Usage: `remove_body_part(["application/isup"[, "revert"]])`, Args: []ArgKind{TextArg, FixedArg}, Routes: Messages, Build: func(a *Args) Action {
			k := a.k
			mime, revert := a.list[0], a.list[1]
			if revert.given && revert.str != "revert" {
				k.rep.errorf(revert.expr.Pos(), `the second argument of remove_body_part() is "revert"`)
				return nil
			}
			return func(m *Machine) int {
				if !mime.given {
					if len(m.c.Body()) == 0 {
						return -1
					}
					return m.Reported(a.at, m.c.SetBody(nil, nil))
				}
				want, ok := mime.text(m)
				if !ok {
					return -1
				}
				return m.removeParts(a.at, want, revert.given)
			}
		}},
		"add_body_part": {module: "sipmsgops", Usage: `add_body_part("body", "text/plain"[, "Name: value\r\n"])`, Args: []ArgKind{TextArg, TextArg, TextArg}, Min: 2, Routes: Messages, Build: func(a *Args) Action {
			return func(m *Machine) int {
				body, ok1 := a.list[0].text(m)
				mime, ok2 := a.list[1].text(m)
				if !ok1 || !ok2 {
					return m.Fail(a.at, "the body or its type is NULL")
				}
				var headers []byte
				if a.list[2].given {
					headers, _ = a.list[2].text(m)
				}
				return m.addPart(a.at, body, mime, headers)
			}
		}},
	}
}

// hasPart tells whether the body has a part of a type; nil is any.
func (m *Machine) hasPart(want []byte) bool {
	body, typ := m.c.Body(), m.c.BodyType()
	if len(body) == 0 {
		return false
	}
	boundary, multi := boundaryOf(typ)
	if !multi {
		return want == nil || isType(typ, want)
	}
	for parts := (partIter{body: body, boundary: boundary}); parts.next(); {
		if want == nil || isType(parts.typ(), want) {
			return true
		}
	}
	return false
}

// removeParts takes the parts of a type out of the body, or with revert all
// others. Of one part that is left the body is made, with its headers.
func (m *Machine) removeParts(at *Site, want []byte, revert bool) int {
	body, typ := m.c.Body(), m.c.BodyType()
	boundary, multi := boundaryOf(typ)
	if !multi {
		if len(body) == 0 || isType(typ, want) == revert {
			return -1
		}
		return m.Reported(at, m.c.SetBody(nil, nil))
	}
	out, done := m.work[:0], 0
	gone, left := 0, 0
	var last partIter
	for parts := (partIter{body: body, boundary: boundary}); parts.next(); {
		if isType(parts.typ(), want) == revert {
			left++
			last = parts
			continue
		}
		gone++
		out = append(out, body[done:parts.begin]...)
		done, _, _ = parts.delimiter(parts.end)
	}
	out = append(out, body[done:]...)
	m.work = out
	switch {
	case gone == 0:
		return -1
	case left == 0:
		return m.Reported(at, m.c.SetBody(nil, nil))
	case left == 1 && last.alone():
		return m.Reported(at, m.c.SetBody(last.typ(), last.content()))
	default:
		return m.Reported(at, m.c.SetBody(nil, out))
	}
}

// alone tells whether the part can be a body of its own: it has no headers that
// would be lost.
func (p *partIter) alone() bool {
	for rest := p.body[p.fields:p.head]; len(rest) > 0; {
		var line []byte
		line, rest = sdpLine(rest)
		name, _, _ := bytes.Cut(line, []byte{':'})
		name = bytes.TrimSpace(name)
		if len(name) > 0 && !sipframe.EqualFold(name, "Content-Type") && !sipframe.EqualFold(name, "c") && !sipframe.EqualFold(name, "Content-Length") {
			return false
		}
	}
	return true
}

// addPart puts a part behind those of the body; a body that is not multipart
// becomes the first part of one.
func (m *Machine) addPart(at *Site, part, mime, headers []byte) int {
	body, typ := m.c.Body(), m.c.BodyType()
	if bytes.ContainsAny(mime, "\r\n") || bytes.Contains(headers, []byte("\r\n\r\n")) {
		return m.Fail(at, "the type or the headers of the part would end them")
	}
	if len(body) == 0 && len(headers) == 0 {
		return m.Reported(at, m.c.SetBody(mime, part))
	}
	boundary, multi := boundaryOf(typ)
	out := m.work[:0]
	if multi {
		end := -1
		for p, from := (partIter{body: body, boundary: boundary}), 0; ; {
			begin, after, last := p.delimiter(from)
			if begin < 0 {
				break
			}
			if from = after; last {
				end = begin
				break
			}
		}
		if end < 0 || bytes.Contains(part, boundary) || bytes.Contains(headers, boundary) {
			return m.Fail(at, "the body is no multipart body that takes another part")
		}
		out = appendPart(append(out, body[:end]...), boundary, part, mime, headers)
		m.work = append(out, body[end:]...)
		return m.Reported(at, m.c.SetBody(nil, m.work))
	}
	from := len(m.arena)
	for i := 1; ; i++ { // a boundary that stands in neither part
		m.arena = strconv.AppendInt(append(m.arena[:from], "part-boundary-"...), int64(i), 10)
		if boundary = m.arena[from:]; !bytes.Contains(body, boundary) && !bytes.Contains(part, boundary) && !bytes.Contains(headers, boundary) {
			break
		}
	}
	if len(body) > 0 {
		out = appendPart(out, boundary, body, typ, nil)
	}
	out = appendPart(out, boundary, part, mime, headers)
	out = append(append(append(out, "--"...), boundary...), "--\r\n"...)
	m.work = out
	to := len(m.arena)
	m.arena = append(append(append(m.arena, "multipart/mixed;boundary=\""...), m.arena[from:to]...), '"')
	return m.Reported(at, m.c.SetBody(m.arena[to:], out))
}

// appendPart writes a part with its delimiter line in front.
func appendPart(dst, boundary, part, typ, headers []byte) []byte {
	dst = append(append(append(dst, "--"...), boundary...), "\r\n"...)
	if len(typ) > 0 {
		dst = append(append(append(dst, "Content-Type: "...), typ...), "\r\n"...)
	}
	if headers = withoutLineEnd(headers); len(headers) > 0 {
		dst = append(append(dst, headers...), "\r\n"...)
	}
	return append(append(append(dst, "\r\n"...), part...), "\r\n"...)
}
