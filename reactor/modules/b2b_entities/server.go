package b2b_entities

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// router takes the requests of sessions out before the routes see them.
type router struct {
	proxy.Router
	m *Module
}

// Request is proxy.Router's.
func (r *router) Request(c *proxy.Context) {
	if c.Msg.Method() == sipframe.CANCEL {
		if s := r.m.sessions.invited(r.m.tm.Layer().Find(c)); s != nil {
			r.m.canceled(c, s)
			return
		}
		if s := r.m.sessionOf(c.Msg); s != nil {
			r.m.withdrawn(c, s)
			return
		}
	} else if s := r.m.sessionOf(c.Msg); s != nil {
		r.m.within(c, s)
		return
	}
	r.Router.Request(c)
}

// sessionOf finds the session of a later request: its To tag is ours, and the rest fits.
func (m *Module) sessionOf(msg *sipframe.Message) *Session {
	to, err := msg.To()
	if err != nil {
		return nil
	}
	tag, n := msg.Bytes(to.Tag), len(m.prefix)
	if len(tag) <= n || string(tag[:n]) != m.prefix {
		return nil
	}
	s := m.sessions.get(string(tag))
	from, err := msg.From()
	if s == nil || err != nil || string(msg.CallID()) != s.callID {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(msg.Bytes(from.Tag)) != s.remoteTag {
		return nil
	}
	return s
}

// canceled ends a session whose INVITE is canceled.
func (m *Module) canceled(c *proxy.Context, s *Session) {
	m.tm.Layer().Cancel(c, nil)
	if _, first := s.end(); !first {
		return
	}
	m.sessions.remove(s)
	if p, ok := s.waits("INVITE", true); ok {
		m.respond(c, s, p, answer{code: 487})
	}
	m.tell(s, isTerminated, telling{method: "CANCEL", msg: c.Msg, by: c})
}

// withdrawn handles the CANCEL of a later INVITE. The Owner of a session answers that: by what its other party has answered.
func (m *Module) withdrawn(c *proxy.Context, s *Session) {
	l := m.tm.Layer()
	h := l.Find(c)
	switch {
	case h == 0:
		l.Respond(c, 481, nil, nil)
	case !s.awaits(h): // it is answered
		l.Cancel(c, nil)
	case s.owner != nil:
		l.Respond(c, 200, []byte("canceling"), nil)
		m.tell(s, isUpdated, telling{method: "CANCEL", msg: c.Msg, by: c})
	default:
		l.Cancel(c, nil) // by which the INVITE is answered 487
		s.forget(h)
		m.tell(s, isUpdated, telling{method: "CANCEL", msg: c.Msg, by: c})
	}
}

// within handles a later request.
func (m *Module) within(c *proxy.Context, s *Session) {
	if m.onRequest != nil {
		m.onRequest.Run(c, script.Run{Kind: script.RequestRoute})
	}
	method := string(c.Msg.MethodName())
	if c.Msg.Method() == sipframe.ACK {
		if m.tm.Layer().Refused(c) {
			return
		}
		s.accepted(true)
		if s.flags.acks || s.owner != nil {
			m.tell(s, isUpdated, telling{method: method, msg: c.Msg, by: c})
		}
		return
	}
	e, err := m.tm.Layer().Begin(c)
	if err != nil {
		return // a retransmission, or it is answered
	}
	number, _, _ := c.Msg.CSeq()
	s.mu.Lock()
	stale := number <= s.seen
	if !stale {
		s.seen = number
		if a, err := c.Msg.Contact(); err == nil && a != nil && !a.Star && (method == "INVITE" || method == "UPDATE") {
			s.target = string(c.Msg.Bytes(a.URI))
		}
		if s.flow != 0 {
			s.flow = flowOf(c.Src)
		}
	}
	s.mu.Unlock()
	p := pending{method: method, handle: e.Handle(), since: time.Now()}
	switch {
	case stale:
		e.Respond(500, []byte("CSeq Out of Order"), nil, nil, nil)
	case method == "BYE":
		e.Respond(200, nil, nil, nil, nil)
		if _, first := s.end(); first {
			m.sessions.remove(s)
			m.abandon(c, s)
			m.tell(s, isTerminated, telling{method: method, msg: c.Msg, by: c})
		}
	case s.owner == nil && !m.env.Heard(event):
		e.Respond(501, nil, nil, nil, nil)
	case !s.wait(p):
		e.Respond(503, nil, nil, nil, nil)
	default:
		e.KeepOpen()
		m.tell(s, isUpdated, telling{method: method, msg: c.Msg, by: c})
	}
}

// abandon ends what is under way in a session that is over: requests of the other party are answered 487 (RFC 3261 15.1.2),
// and an INVITE of ours is canceled.
func (m *Module) abandon(by *proxy.Context, s *Session) {
	list, asking := s.abandoned()
	for _, p := range list {
		m.respond(by, s, p, answer{code: 487})
	}
	if asking != 0 {
		m.tm.Layer().Do(by, asking, func(x *transaction.Exchange, _ *proxy.Context) { x.Forsake() })
	}
}

// accept makes a session of the INVITE at hand; nil: there is no room, or it was answered.
func (m *Module) accept(x *script.Machine, f flags, owner Owner) *Session {
	c, msg := x.Context(), x.Message()
	from, ferr := msg.From()
	to, terr := msg.To()
	number, _, serr := msg.CSeq()
	if ferr != nil || terr != nil || serr != nil || from.Tag.Len == 0 || to.Tag.Len != 0 || msg.Method() != sipframe.INVITE {
		return nil
	}
	if transaction.Of(c) == nil && m.tm.StartTransaction(x) < 0 {
		return nil
	}
	e, now := transaction.Of(c), time.Now()
	if e == nil {
		return nil
	}
	s := &Session{key: m.newKey(), server: true, flags: f, callID: string(msg.CallID()), local: string(msg.Bytes(to.URI)), remote: string(msg.Bytes(from.URI)),
		own: m.contactOf(c), socket: c.Src.Socket, from: now, until: now.Add(m.lastsOf(f)), remoteTag: string(msg.Bytes(from.Tag)), seen: number, cseq: 1, invite: e.Handle(), owner: owner}
	s.learn(msg, false)
	if s.flow = flowOf(c.Src); s.target == "" || !m.sessions.add(s) {
		return nil
	}
	s.wait(pending{method: "INVITE", handle: s.invite, since: now, first: true})
	e.KeepOpen()
	return s
}

// flowOf is the connection that a request came by, 0 if it came by datagram.
func flowOf(src *reactor.Source) reactor.Handle {
	if src.Proto == reactor.UDP {
		return 0
	}
	return src.Conn
}

// contactOf is our Contact: the socket that the request came to.
func (m *Module) contactOf(c *proxy.Context) string {
	if m.contact != "" {
		return m.contact
	}
	return socketURI(c.Src.Socket, c.Src.Local, c.Src.Proto)
}

// socketURI is the URI of a socket; where it listens on all addresses, with the one at.
func socketURI(s *reactor.Socket, at netip.AddrPort, proto reactor.Proto) string {
	host, port := at.Addr().Unmap().String(), at.Port()
	if s != nil {
		if port = s.Addr.Port(); s.Advertised != "" {
			host = s.Advertised
		}
		if s.AdvertisedPort != 0 {
			port = s.AdvertisedPort
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	uri := "sip:" + host + ":" + strconv.Itoa(int(port))
	if proto != reactor.UDP {
		uri += ";transport=" + strings.ToLower(proto.String())
	}
	return uri
}

// answer is a response of ours.
type answer struct {
	code   int
	reason string
	message
}

// respondOldest answers the oldest request of a method that waits.
func (m *Module) respondOldest(by *proxy.Context, s *Session, method string, a answer) error {
	p, ok := s.waits(method, a.code >= 200)
	if !ok {
		return errState
	}
	if p.first && a.code >= 200 {
		s.mu.Lock()
		if s.state == begun {
			s.state = confirmed
			if a.code >= 300 {
				s.state = ended
			}
		}
		s.mu.Unlock()
		if m.sessions.answered(s); a.code >= 300 {
			m.sessions.remove(s)
		}
	}
	if !m.respond(by, s, p, a) {
		return errState
	}
	if method == "INVITE" && a.code >= 200 && a.code < 300 {
		s.accepted(false)
	}
	return nil
}

// respond answers a request. It reports whether there is one.
func (m *Module) respond(by *proxy.Context, s *Session, p pending, a answer) bool {
	more, err := a.lines()
	if err != nil || strings.ContainsAny(a.reason, "\r\n\x00") {
		return false
	}
	var reason, body, tag []byte
	if a.reason != "" {
		reason = []byte(a.reason)
	}
	if a.body != "" {
		body = []byte(a.body)
	}
	if p.first {
		tag = []byte(s.key)
	}
	if a.code < 300 && p.method == "INVITE" {
		more = "Contact: <" + s.own + ">\r\n" + more
	}
	return m.tm.Layer().Do(by, p.handle, func(x *transaction.Exchange, _ *proxy.Context) { x.Respond(a.code, reason, body, []byte(more), tag) })
}
