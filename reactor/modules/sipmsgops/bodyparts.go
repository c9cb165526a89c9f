package sipmsgops

import (
	"bytes"

	"sipreactor/reactor/script"
	"sipreactor/sipframe/body"
)

func hasBodyPart(a *script.Args) script.Action {
	mime, given := a.Text(0), a.Given(0)
	return func(m *script.Machine) int {
		want, ok := mime(m)
		if given && !ok {
			return -1
		}
		return script.Yes(hasPart(m, want))
	}
}

func removeBodyPart(a *script.Args) script.Action {
	mime, given, revert, at := a.Text(0), a.Given(0), a.Given(1), a.Site()
	if word, _ := a.Fixed(1); revert && word != "revert" {
		a.Errorf(1, `the second argument of remove_body_part() is "revert"`)
		return nil
	}
	return func(m *script.Machine) int {
		if !given {
			if len(m.Context().Body()) == 0 {
				return -1
			}
			return m.Reported(at, m.Context().SetBody(nil, nil))
		}
		want, ok := mime(m)
		if !ok {
			return -1
		}
		return removeParts(m, at, want, revert)
	}
}

func addBodyPart(a *script.Args) script.Action {
	part, mime, more, at := a.Text(0), a.Text(1), a.Text(2), a.Site()
	return func(m *script.Machine) int {
		content, ok1 := part(m)
		typ, ok2 := mime(m)
		if !ok1 || !ok2 {
			return m.Fail(at, "the body or its type is NULL")
		}
		headers, _ := more(m)
		return addPart(m, at, content, typ, headers)
	}
}

func updatedBodyPart(a *script.Args) script.Action {
	mime, given, set, at := a.Text(0), a.Given(0), a.Setter(1), a.Site()
	if !a.Given(1) {
		a.Errorf(1, "get_updated_body_part() needs a variable to set")
		return nil
	}
	return func(m *script.Machine) int {
		want, ok := mime(m)
		if given && !ok {
			return m.Fail(at, "the type is NULL")
		}
		content, ok := partOf(m, want)
		if !ok {
			return -1
		}
		return set(m, script.Text(m.Keep(content)))
	}
}

// partOf returns the content of the first part of a type, "" the whole body, as it stands behind what the script has
// changed.
func partOf(m *script.Machine, want []byte) (content []byte, ok bool) {
	b, typ := m.Context().Body(), m.Context().BodyType()
	boundary, multi := body.Boundary(typ)
	if len(want) == 0 || !multi {
		return b, len(b) > 0 && (len(want) == 0 || body.IsType(typ, want))
	}
	for parts := body.NewParts(b, boundary); parts.Next(); {
		if body.IsType(parts.Type(), want) {
			return parts.Content(), true
		}
	}
	return nil, false
}

// hasPart tells whether the body has a part of a type; nil is any.
func hasPart(m *script.Machine, want []byte) bool {
	b, typ := m.Context().Body(), m.Context().BodyType()
	if len(b) == 0 {
		return false
	}
	boundary, multi := body.Boundary(typ)
	if !multi {
		return want == nil || body.IsType(typ, want)
	}
	for parts := body.NewParts(b, boundary); parts.Next(); {
		if want == nil || body.IsType(parts.Type(), want) {
			return true
		}
	}
	return false
}

// removeParts takes the parts of a type out of the body, or with revert all
// others. Of one part that is left the body is made, with its headers.
func removeParts(m *script.Machine, at *script.Site, want []byte, revert bool) int {
	b, typ := m.Context().Body(), m.Context().BodyType()
	boundary, multi := body.Boundary(typ)
	if !multi {
		if len(b) == 0 || body.IsType(typ, want) == revert {
			return -1
		}
		return m.Reported(at, m.Context().SetBody(nil, nil))
	}
	out, done := m.Borrow(), 0
	gone, left := 0, 0
	var last body.Parts
	for parts := body.NewParts(b, boundary); parts.Next(); {
		if body.IsType(parts.Type(), want) == revert {
			left++
			last = parts
			continue
		}
		gone++
		out = append(out, b[done:parts.Begin]...)
		done, _, _ = parts.Delimiter(parts.End)
	}
	out = append(out, b[done:]...)
	m.Return(out)
	switch {
	case gone == 0:
		return -1
	case left == 0:
		return m.Reported(at, m.Context().SetBody(nil, nil))
	case left == 1 && last.Alone():
		return m.Reported(at, m.Context().SetBody(last.Type(), last.Content()))
	default:
		return m.Reported(at, m.Context().SetBody(nil, out))
	}
}

// addPart puts a part behind those of the body; a body that is not multipart
// becomes the first part of one.
func addPart(m *script.Machine, at *script.Site, part, mime, headers []byte) int {
	b, typ := m.Context().Body(), m.Context().BodyType()
	if bytes.ContainsAny(mime, "\r\n") || bytes.Contains(headers, []byte("\r\n\r\n")) {
		return m.Fail(at, "the type or the headers of the part would end them")
	}
	if len(b) == 0 && len(headers) == 0 {
		return m.Reported(at, m.Context().SetBody(mime, part))
	}
	boundary, multi := body.Boundary(typ)
	out := m.Borrow()
	if multi {
		end := -1
		for p, from := body.NewParts(b, boundary), 0; ; {
			begin, after, last := p.Delimiter(from)
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
		out = appendPart(append(out, b[:end]...), boundary, part, mime, headers)
		out = append(out, b[end:]...)
		m.Return(out)
		return m.Reported(at, m.Context().SetBody(nil, out))
	}
	for i := 1; ; i++ { // a boundary that stands in neither part
		boundary = m.Join([]byte("part-boundary-"), m.Text(script.Int(int64(i))))
		if !bytes.Contains(b, boundary) && !bytes.Contains(part, boundary) && !bytes.Contains(headers, boundary) {
			break
		}
	}
	if len(b) > 0 {
		out = appendPart(out, boundary, b, typ, nil)
	}
	out = appendPart(out, boundary, part, mime, headers)
	out = append(append(append(out, "--"...), boundary...), "--\r\n"...)
	m.Return(out)
	return m.Reported(at, m.Context().SetBody(m.Join([]byte("multipart/mixed;boundary=\""), boundary, []byte{'"'}), out))
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
