package sipmsgops

import (
	"sipreactor/reactor/script"
	"sipreactor/sipframe/body"
)

// anySDP tells whether f holds for an SDP of the message: its body, or a part of
// it.
func anySDP(m *script.Machine, f func(sdp []byte) bool) bool {
	b, typ := m.Context().Body(), m.Context().BodyType()
	boundary, multi := body.Boundary(typ)
	if !multi {
		return body.IsSDP(typ) && f(b)
	}
	for parts := body.NewParts(b, boundary); parts.Next(); {
		if body.IsSDP(parts.Type()) && f(parts.Content()) {
			return true
		}
	}
	return false
}

// changeSDP has f write each SDP of the message anew: it appends to dst what
// takes the place of sdp and tells whether that differs. It gives 1 if any does.
func changeSDP(m *script.Machine, at *script.Site, f func(dst, sdp []byte) (out []byte, changed bool)) int {
	b, typ := m.Context().Body(), m.Context().BodyType()
	boundary, multi := body.Boundary(typ)
	out, changed := m.Borrow(), false
	switch {
	case !multi && body.IsSDP(typ):
		out, changed = f(out, b)
	case multi:
		done := 0
		for parts := body.NewParts(b, boundary); parts.Next(); {
			if !body.IsSDP(parts.Type()) {
				continue
			}
			out = append(out, b[done:parts.Head]...)
			var this bool
			out, this = f(out, parts.Content())
			changed = changed || this
			done = parts.End
		}
		out = append(out, b[done:]...)
	}
	m.Return(out)
	if !changed {
		return -1
	}
	return m.Reported(at, m.Context().SetBody(nil, out))
}
