package registrar

import (
	"slices"
	"strconv"

	"sipreactor/reactor/location"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// push is what is known of push notifications (RFC 8599). Who sends them hears of usrloc's E_UL_CONTACT_REFRESH.
type push struct {
	on, purr  bool
	providers []string
	params    []string // that contacts with all of them are matched by
	// Seconds, as the parameters have them.
	pnsreg, trigger, skip, timeout int64

	tm      transactions
	waiters *waiters // nil: nothing has ever waited
}

func newPush() push {
	return push{params: []string{"pn-provider", "pn-prid", "pn-param"}, pnsreg: 130, trigger: 120, timeout: 6}
}

// resolvePush finds what push notifications need.
func (m *Core) resolvePush(l *script.Loading) {
	p := &m.push
	if !p.on {
		if p.purr {
			l.Errorf(l.Place("pn_enable_purr"), "pn_enable_purr needs pn_enable")
		}
		return
	}
	if len(p.params) == 0 {
		l.Errorf(l.Place("pn_ct_match_params"), "pn_ct_match_params names no parameter")
	}
	if p.tm, _ = l.Instance("tm").(transactions); p.tm == nil {
		l.Errorf(l.Place("pn_enable"), `pn_enable needs the module tm: loadmodule "tm.so"`)
	}
	m.places.RefreshWithin = max(m.places.RefreshWithin, p.trigger)
	m.places.Watch(m.registered)
	if p.purr {
		m.places.IndexIDs()
	}
}

// readPush reads the push parameters of a contact. One whose provider is none of ours is refused, whether notifications
// are sent or not.
func (m *Core) readPush(r *Registration, b *location.Binding, u *sipframe.URI, params []byte) *Refusal {
	p := &m.push
	provider, has := u.Param(b.URI, "pn-provider")
	if has && len(provider) > 0 && (p.on || len(p.providers) > 0) &&
		!slices.ContainsFunc(p.providers, func(name string) bool { return sipframe.EqualFold(provider, name) }) {
		return noPush
	}
	if !p.on || !has {
		return nil
	}
	r.pns = append(r.pns[:0], provider...)
	if len(provider) == 0 && len(p.providers) > 0 { // it asks what there is
		r.pns = append(r.pns, p.providers[0]...)
	}
	_, r.wakes = sipframe.FindParam(params, "+sip.pnsreg")
	for _, name := range p.params {
		if v, ok := u.Param(b.URI, name); !ok || len(v) == 0 {
			return nil
		}
	}
	b.Pushed, b.Flags = true, location.Pushed
	return nil
}

// appendCaps appends the Feature-Caps of a 2xx to a phone with push parameters.
func (m *Core) appendCaps(h []byte, r *Registration) []byte {
	if len(r.pns) == 0 {
		return h
	}
	h = append(append(append(h, `Feature-Caps: *;+sip.pns="`...), r.pns...), '"')
	if r.wakes {
		h = append(strconv.AppendInt(append(h, `;+sip.pnsreg="`...), m.push.pnsreg, 10), '"')
	}
	if r.purr != 0 {
		h = append(strconv.AppendUint(append(h, `;+sip.pnspurr="`...), r.purr, 16), '"')
	}
	return append(h, "\r\n"...)
}

// asleep reports whether a contact has to be woken before it is reached.
func (m *Core) asleep(c *location.Contact, now int64) bool {
	return m.push.on && c.Flags&location.Pushed != 0 && now-c.Modified >= m.push.skip
}

// appendAwake appends the URI that a contact is reached by: without its push parameters, which are between it and us.
func (m *Core) appendAwake(dst []byte, c *location.Contact) []byte {
	uri := []byte(c.URI())
	var u sipframe.URI
	if !m.push.on || c.Flags&location.Pushed == 0 || sipframe.ParseURI(uri, &u) != nil || u.Params.Len == 0 {
		return append(dst, uri...)
	}
	list := u.Params.In(uri)
	dst = append(dst, uri[:u.Params.Off]...)
	if n := len(dst); n > 0 && dst[n-1] == ';' {
		dst = dst[:n-1]
	}
	it := sipframe.Params(list)
	for p, ok := it.Next(); ok; p, ok = it.Next() {
		if slices.ContainsFunc(m.push.params, func(name string) bool { return sipframe.EqualFold(p.Name, name) }) {
			continue
		}
		dst = append(append(dst, ';'), p.Name...)
		if p.Value != nil {
			dst = append(append(dst, '='), p.Value...)
		}
	}
	return append(dst, uri[u.Params.End():]...)
}
