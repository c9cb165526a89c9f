package uac_registrant

import (
	"strconv"
	"time"

	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// requestOf writes a REGISTER.
func (r *registration) requestOf(m *register) *transaction.Request {
	from := r.aor
	if r.thirdParty != "" {
		from = r.thirdParty
	}
	h := []byte("Contact: ")
	if m.whole {
		h = append(h, '*')
	} else {
		h = append(append(append(append(h, '<'), r.binding...), '>'), r.params...)
	}
	h = strconv.AppendUint(append(h, "\r\nExpires: "...), uint64(m.expires), 10)
	h = append(append(h, "\r\n"...), m.authorization...)
	next := r.proxy
	if next == "" {
		next = r.registrar
	}
	return &transaction.Request{
		Method: "REGISTER", URI: []byte(r.registrar), From: []byte("<" + from + ">;tag=" + string(r.fromTag)), To: []byte("<" + r.aor + ">"),
		CallID: r.callID, CSeq: r.cseq, Headers: h, NextHop: []byte(next),
	}
}

// read reads the end of a REGISTER for a binding.
func (a *answer) read(o *transaction.Outcome, binding string) {
	*a = answer{code: o.Code, local: o.Local, expires: -1}
	m := o.Message
	if m == nil {
		return
	}
	challenge := "WWW-Authenticate"
	if o.Code == 407 {
		challenge = "Proxy-Authenticate"
	}
	for i := range m.NumHeaders() {
		h := m.Header(i)
		name, value := m.Bytes(h.Name), m.Bytes(h.Value)
		switch {
		case sipframe.EqualFold(name, challenge):
			a.challenges = append(a.challenges, append([]byte(nil), value...))
		case sipframe.EqualFold(name, "Min-Expires"):
			a.minExpires = uint32(number(value))
		case sipframe.EqualFold(name, "Retry-After"):
			a.retryAfter = time.Duration(number(value)) * time.Second
		}
	}
	if o.Code >= 200 && o.Code < 300 {
		a.bound(m, binding)
	}
}

// bound reads what a 2xx says of our binding.
func (a *answer) bound(m *sipframe.Message, binding string) {
	if i := m.FindName([]byte("Expires")); i >= 0 {
		a.expires = int64(number(m.Bytes(m.Header(i).Value)))
	}
	it := m.Values(sipframe.HeaderContact)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		var c sipframe.NameAddr
		if m.NameAddr(v, &c) != nil || c.Star {
			continue
		}
		a.bindings++
		if !sipframe.EqualURI(m.Bytes(c.URI), []byte(binding)) {
			continue
		}
		if e, has := sipframe.FindParam(m.Bytes(c.Params), "expires"); has {
			a.expires = int64(number(e))
		}
	}
}

// number reads the number of seconds that a header begins with; 0 is none.
func number(b []byte) uint64 {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	v, _ := sipframe.ParseUint(b[:n], maxExpiry)
	return v
}
