package b2b_entities

import (
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// telling is what an event tells besides the session.
type telling struct {
	code           int // 0: it is about a request
	reason, method string
	msg            *sipframe.Message // nil: there is none
	by             *proxy.Context    // that of the goroutine; nil: it has none
}

// tell raises the event of a session.
func (m *Module) tell(s *Session, what string, t telling) {
	if s.owner != nil {
		s.owner.Happened(s, Happening{What: what, Code: t.code, Reason: t.reason, Method: t.method, Message: t.msg, By: t.by})
		return
	}
	if !m.env.Heard(event) {
		return
	}
	side := "UAC"
	if s.server {
		side = "UAS"
	}
	params := append(make([]script.Param, 0, 8), script.TextParam("key", s.key), script.TextParam("entity_type", side), script.TextParam("event_type", what))
	if t.code != 0 {
		params = append(params, script.NumberParam("status", int64(t.code)), script.TextParam("reason", t.reason))
	}
	if t.method != "" {
		params = append(params, script.TextParam("method", t.method))
	}
	if t.msg != nil && s.flags.body {
		params = append(params, script.TextParam("body", string(t.msg.Body())))
	}
	if t.msg != nil && s.flags.headers {
		params = append(params, script.TextParam("headers", string(t.msg.Raw()[t.msg.HeadersOffset():t.msg.HeadersEnd()])))
	}
	m.env.Raise(event, params...)
}
