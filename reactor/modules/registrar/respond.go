package registrar

import (
	"strconv"

	"sipreactor/reactor/location"
	"sipreactor/reactor/script"
)

// appendContact appends a contact as the 200 lists it.
func (m *Core) appendContact(dst []byte, r *Registration, c *location.Contact, now int64) []byte {
	if len(dst) > 0 {
		dst = append(dst, ", "...)
	}
	dst = append(append(append(dst, '<'), c.URI()...), '>')
	if c.Q != location.NoQ {
		dst = appendQ(append(dst, ";q="...), c.Q)
	}
	left := int64(1<<31 - 1)
	if c.Expires != 0 {
		left = max(0, c.Expires-now)
	}
	dst = strconv.AppendInt(append(dst, ";expires="...), left, 10)
	if received := c.Received(); received != "" && m.receivedParam != "" {
		dst = append(append(dst, ';'), m.receivedParam...)
		dst = append(append(append(dst, `="`...), received...), '"')
	}
	if c.Instance() == "" {
		return dst
	}
	gruu := m.gruu != nil && len(r.user) > 0
	if gruu {
		dst = append(appendPublic(append(dst, `;pub-gruu="`...), r.user, c.Instance()), `";temp-gruu="`...)
		dst = append(m.gruu.appendTemporary(dst, r.scheme, r.host, c), '"')
	}
	if c.RegID != 0 || gruu {
		dst = append(append(append(dst, `;+sip.instance="`...), c.Instance()...), '"')
	}
	if c.RegID != 0 {
		dst = strconv.AppendUint(append(dst, ";reg-id="...), uint64(c.RegID), 10)
	}
	return dst
}

// Respond counts a REGISTER as accepted, or refused for what is bad, and answers it unless the flags leave that to others.
func (m *Core) Respond(x *script.Machine, at *script.Site, r *Registration, f *SaveFlags, bad *Refusal) {
	if bad == nil {
		m.accepted.Add(1)
	} else {
		m.rejected.Add(1)
	}
	if f.noReply {
		return
	}
	if err := m.respond(x, r, f, bad); err != nil {
		x.Say(at, script.LevelError, m.name+": the response cannot be sent", "error", err)
	}
}

func (m *Core) respond(x *script.Machine, r *Registration, f *SaveFlags, bad *Refusal) error {
	c := x.Context()
	h := r.headers[:0]
	if len(r.contacts) > 0 && (bad == nil || bad.code == 503) {
		h = append(append(append(h, "Contact: "...), r.contacts...), "\r\n"...)
	}
	code := 200
	if bad != nil {
		code = bad.code
		h = append(append(append(h, "P-Registrar-Error: "...), bad.why...), "\r\n"...)
		h = append(h, bad.more...)
		if bad.code == 503 {
			h = append(h, m.retryLine()...)
		}
	} else {
		h = m.AppendAccepted(h, r, f)
	}
	r.headers = h
	if len(h) > 0 {
		if err := c.AppendToResponse(h); err != nil {
			return err
		}
	}
	return m.signaling.Respond(x, code, nil)
}

// AppendAccepted appends the headers that a 2xx has besides its Contacts.
func (m *Core) AppendAccepted(h []byte, r *Registration, f *SaveFlags) []byte {
	if len(r.path) > 0 && f.path != pathOff && r.knowsPath {
		h = append(append(append(h, "Path: "...), r.path...), "\r\n"...)
	}
	if r.outbound && r.knowsOutbound {
		h = append(h, "Require: outbound\r\n"...)
		if m.flowTimer > 0 {
			h = append(strconv.AppendInt(append(h, "Flow-Timer: "...), m.flowTimer, 10), "\r\n"...)
		}
	}
	h = m.appendCaps(h, r)
	if m.serviceRoute != "" {
		h = append(append(append(h, "Service-Route: "...), m.serviceRoute...), "\r\n"...)
	}
	return h
}

// retryLine is the Retry-After of refusals that pass.
func (m *Core) retryLine() string {
	if m.retryAfter <= 0 {
		return ""
	}
	return "Retry-After: " + strconv.FormatInt(m.retryAfter, 10) + "\r\n"
}

// addSocketHeader builds add_sock_hdr().
func (m *Core) addSocketHeader(a *script.Args) script.Action {
	name, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		n, _ := name(x)
		line := append(append([]byte(nil), n...), ": "...)
		line = append(appendSocket(line, x.Context().Src.Socket), "\r\n"...)
		return x.Reported(at, x.Context().AppendHeader(line))
	}
}
