package presence

import (
	"mime"
	"strconv"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// handlePublish builds handle_publish(): 1, or -1 for one that was refused; both are
// answered (RFC 3903 6).
func (m *Module) handlePublish(a *script.Args) script.Action {
	sender, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		if x.Message().Method() != sipframe.PUBLISH {
			return x.Fail(at, "it is for PUBLISH")
		}
		from, _ := sender(x)
		now := x.Now().Unix()
		m.state.mu.Lock()
		p, changed, of, lasts, bad := m.publish(x, now)
		var out []*notify
		if bad == nil && changed {
			out = m.tell(of, now, string(from))
		}
		m.state.mu.Unlock()
		if bad != nil {
			return bad.respond(m, x, at)
		}
		err := x.Context().AppendToResponse([]byte("SIP-ETag: " + p + "\r\nExpires: " + strconv.FormatInt(lasts, 10) + "\r\n"))
		if err == nil {
			err = m.signaling.Respond(x, 200, nil)
		}
		m.send(x.Context(), out)
		msg := x.Message()
		m.raise(eventPublish, &published{of: of, expires: lasts, etag: p, old: header(msg, "SIP-If-Match"), body: string(msg.Body())})
		return x.Reported(at, err)
	}
}

// publish does what a PUBLISH asks for, under the lock.
func (m *Module) publish(x *script.Machine, now int64) (etag string, changed bool, of resource, lasts int64, bad *refusal) {
	msg := x.Message()
	e, _, bad := m.eventOf(msg)
	if bad != nil {
		return "", false, of, 0, bad
	}
	if _, of := e.(WatcherEvent); of {
		return "", false, resource{}, 0, &refusal{code: 489, reason: "Bad Event", headers: "Allow-Events: " + m.named() + "\r\n"}
	}
	uri, ok := presentity(x.Context().RequestURI())
	if !ok {
		return "", false, of, 0, noUser
	}
	if lasts, bad = lifetime(msg, m.maxPublish); bad != nil {
		return "", false, of, 0, bad
	}
	of = resource{uri, e.Name()}
	body, match := msg.Body(), header(msg, "SIP-If-Match")
	if len(body) > 0 {
		if kind, _, err := mime.ParseMediaType(header(msg, "Content-Type")); err != nil || kind != e.Type() {
			return "", false, of, 0, &refusal{code: 415, reason: "Unsupported Media Type", headers: "Accept: " + e.Type() + "\r\n"}
		}
		if err := e.Check(body); err != nil {
			return "", false, of, 0, &refusal{code: 400, reason: "Bad Body"}
		}
	}
	until := now + lasts + m.offset
	switch {
	case match == "" && len(body) == 0:
		return "", false, of, 0, &refusal{code: 400, reason: "Invalid Request"}
	case match == "" && lasts == 0:
		return fresh(), false, of, 0, nil // over at once
	case match == "":
		p := &publication{etag: fresh(), body: append([]byte(nil), body...), expires: until}
		if !m.state.publish(of, p) {
			return "", false, of, 0, &refusal{code: 503, reason: "Too Many Publications"}
		}
		return p.etag, true, of, lasts, nil
	}
	p := m.state.find(of, match, now)
	if p == nil {
		return "", false, of, 0, &refusal{code: 412, reason: "Conditional Request Failed"}
	}
	if p.etag = fresh(); lasts == 0 {
		m.state.unpublish(of, p)
		return p.etag, true, of, 0, nil
	}
	if p.expires = until; len(body) > 0 {
		p.body = append([]byte(nil), body...)
	}
	return p.etag, len(body) > 0, of, lasts, nil
}
