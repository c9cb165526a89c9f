package registrar

import (
	"bytes"

	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// keepGranted is save() in an onreply_route: the REGISTER went to another registrar, and its contacts are kept here, too, for
// as long as that has granted them. The response goes its way. -1: nothing is kept.
func (m *Core) keepGranted(x *script.Machine, at *script.Site, table *usrloc.Place, f *SaveFlags, aor AOR) int {
	c, response := x.Context(), x.Message()
	e := transaction.Of(c)
	if _, method, _ := response.CSeq(); string(method) != "REGISTER" || response.StatusCode()/100 != 2 || e == nil || e.Source() == nil {
		return x.Fail(at, "in an onreply_route it is for the 2xx of a REGISTER that t_relay() has sent")
	}
	var sent []byte
	if m.granted != nil {
		sent = x.Text(m.granted.Get(x, 0))
	}
	rc := -1
	if !x.OfRequest(e.Source(), func() {
		r := m.Take()
		defer m.Give(r)
		bad := m.Read(x, r, f, aor)
		var err error
		if bad == nil {
			r.grant(response, sent)
			bad, err = m.WriteStored(x, table, r)
		}
		if bad != nil {
			m.rejected.Add(1)
			x.Say(at, script.LevelError, m.name+": what another registrar has granted is not kept", "why", bad.why, "error", err)
			return
		}
		m.accepted.Add(1)
		rc = 1
	}) {
		return x.Fail(at, "the REGISTER is not kept")
	}
	return rc
}

// grant has each binding live as long as the response says of its Contact: the one with its URI or, where we have written
// another, that of sent, or the only one that there is. One that is not there ends.
func (r *Registration) grant(response *sipframe.Message, sent []byte) {
	common, _, _ := expiresHeader(response)
	contacts := 0
	only := int64(0)
	each := func(found func(uri []byte, expires int64)) {
		it := response.Values(sipframe.HeaderContact)
		for v, ok := it.Next(); ok; v, ok = it.Next() {
			var a sipframe.NameAddr
			if response.NameAddr(v, &a) != nil || a.Star {
				continue
			}
			expires := common
			params := sipframe.Params(response.Bytes(a.Params))
			for p, ok := params.Next(); ok; p, ok = params.Next() {
				if n, good := sipframe.ParseUint(p.Value, 1<<32-1); good && is(p.Name, "expires") {
					expires = int64(n)
				}
			}
			found(response.Bytes(a.URI), expires)
		}
	}
	each(func(_ []byte, expires int64) { contacts, only = contacts+1, expires })
	for i := range r.Bindings {
		b := &r.Bindings[i]
		if b.Expires <= r.Now {
			continue // it is to go
		}
		granted := int64(0)
		if contacts == 1 {
			granted = only
		}
		each(func(uri []byte, expires int64) {
			if r.isOf(b, uri, sent) {
				granted = expires
			}
		})
		b.Expires = r.Now + granted
	}
	r.Reckon()
}

// isOf reports whether a Contact of the response is a binding's.
func (r *Registration) isOf(b *location.Binding, uri, sent []byte) bool {
	return bytes.Equal(uri, b.URI) || len(r.Bindings) == 1 && len(sent) > 0 && bytes.Equal(uri, sent)
}
