package b2b_entities

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

var (
	errState = errors.New("the session is not at that point")
	errLine  = errors.New("a text would be more than one line, or a header is none")
	errMany  = errors.New("there are too many sessions")
	errNone  = errors.New("there is no such session")
	errURI   = errors.New("the URI is none")
)

// message is what a request or an answer has besides what the session gives it.
type message struct {
	body, headers, kind string // kind is the Content-Type
}

// lines gives the header lines of a message.
func (w *message) lines() (string, error) {
	var b strings.Builder
	if strings.ContainsAny(w.kind, "\r\n\x00") {
		return "", errLine
	}
	if w.body != "" {
		kind := w.kind
		if kind == "" {
			kind = "application/sdp"
		}
		fmt.Fprintf(&b, "Content-Type: %s\r\n", kind)
	}
	if w.headers != "" {
		more, err := proxy.AppendHeaders(nil, []byte(strings.TrimRight(w.headers, "\r\n")+"\r\n"))
		if err != nil {
			return "", errLine
		}
		b.Write(more)
	}
	return b.String(), nil
}

// call is what a session of ours begins with.
type call struct {
	uri, to, from, proxy string
	socket               *reactor.Socket
	contact              string
	message
	owner Owner
	keys  []uac_auth.Credential
}

// begin sends the INVITE of a new session, and gives its key; by is the Context of a
// goroutine that has one.
func (m *Module) begin(by *proxy.Context, c *call, f flags) (string, error) {
	var uri sipframe.URI
	if sipframe.ParseURI([]byte(c.uri), &uri) != nil {
		return "", errURI
	}
	more, err := c.lines()
	if err != nil {
		return "", err
	}
	now := time.Now()
	s := &Session{key: m.newKey(), flags: f, callID: rand.Text(), local: c.from, remote: c.to, own: c.contact, socket: c.socket, target: c.uri,
		from: now, until: now.Add(m.lastsOf(f)), cseq: 1, invited: 1, owner: c.owner, keys: c.keys}
	if strings.ContainsAny(s.local+s.remote+s.own+c.proxy, "\r\n\x00") {
		return "", errLine
	}
	if !m.sessions.add(s) {
		return "", errMany
	}
	s.first = func(headers string) *transaction.Request {
		return &transaction.Request{Method: "INVITE", URI: []byte(s.target), CallID: []byte(s.callID), CSeq: s.cseq, From: fmt.Appendf(nil, "%s;tag=%s", nameAddr(s.local), s.key),
			To: []byte(nameAddr(s.remote)), Headers: fmt.Appendf(nil, "Contact: <%s>\r\n%s%s", s.own, more, headers), Body: []byte(c.body), NextHop: []byte(c.proxy), Socket: s.socket, Ack: !f.noAck,
			Done: func(o *transaction.Outcome) { m.answered(s, o) }}
	}
	if _, err := m.tm.Layer().Originate(by, s.first("")); err != nil {
		m.sessions.remove(s)
		return "", err
	}
	return s.key, nil
}

func (m *Module) lastsOf(f flags) time.Duration {
	if f.lasts > 0 {
		return f.lasts
	}
	return m.lasts
}

// nameAddr puts a bare URI between angle brackets.
func nameAddr(uri string) string {
	if strings.ContainsRune(uri, '<') {
		return uri
	}
	return "<" + uri + ">"
}

// answered is told the responses to a session's first INVITE.
func (m *Module) answered(s *Session, o *transaction.Outcome) {
	t := telling{code: o.Code, reason: string(o.Reason), method: "INVITE", msg: o.Message, by: o.Context}
	tag := ""
	if o.Message != nil {
		if to, err := o.Message.To(); err == nil {
			tag = string(o.Message.Bytes(to.Tag))
		}
	}
	switch {
	case o.Code < 200:
		s.mu.Lock()
		if o.Exchange != nil && s.invite == 0 {
			s.invite = o.Exchange.Handle()
		}
		dead := s.state == ended
		s.mu.Unlock()
		switch {
		case dead && o.Exchange != nil:
			o.Exchange.CancelAll() // it was ended before anybody had answered
		case !dead && o.Code > 100:
			m.tell(s, isEarly, t)
		}
	case o.Code < 300:
		m.accepted(s, o, tag, t)
	case m.authorize(s, o):
	default:
		if _, first := s.end(); first {
			m.sessions.remove(s)
			m.tell(s, isRejected, t)
		}
	}
}

// accepted is told a 2xx: the first one confirms the session; that of another branch is a
// dialog that nobody wants, as is one behind the session's end.
func (m *Module) accepted(s *Session, o *transaction.Outcome, tag string, t telling) {
	s.mu.Lock()
	was := s.state
	if was == begun {
		s.state, s.remoteTag = confirmed, tag
		s.learn(o.Message, true)
	}
	known, ack := s.remoteTag == tag && was == confirmed, s.ack
	s.mu.Unlock()
	switch {
	case known && ack != nil && s.flags.noAck:
		_ = m.send(o.Context, s, "ACK", *ack, nil) // ours was lost
	case was == begun:
		m.tell(s, isAnswered, t)
	case !known && o.Message != nil:
		other := &Session{key: s.key, callID: s.callID, local: s.local, remote: s.remote, own: s.own, socket: s.socket, remoteTag: tag, target: s.target, cseq: s.cseq, invited: s.invited}
		other.learn(o.Message, true)
		if s.flags.noAck {
			_ = m.send(o.Context, other, "ACK", message{}, nil)
		}
		_ = m.send(o.Context, other, "BYE", message{}, nil)
	}
}

// learn takes where later requests go from a message of the other party (RFC 3261 12.1).
// The session is locked, or nobody else's yet.
func (s *Session) learn(msg *sipframe.Message, response bool) {
	if msg == nil {
		return
	}
	if a, err := msg.Contact(); err == nil && a != nil && !a.Star {
		s.target = string(msg.Bytes(a.URI))
	}
	var list []string
	for it := msg.RecordRoutes(); ; {
		v, ok := it.Next()
		if !ok {
			break
		}
		if response {
			list = append([]string{string(msg.Bytes(v))}, list...)
		} else {
			list = append(list, string(msg.Bytes(v)))
		}
	}
	s.routes = strings.Join(list, ", ")
}

// send sends a request of a session. An ACK is that of its last INVITE.
func (m *Module) send(by *proxy.Context, s *Session, method string, w message, done func(o *transaction.Outcome)) error {
	more, err := w.lines()
	if err != nil || !token(method) || method == "" {
		return errLine
	}
	s.mu.Lock()
	if s.remoteTag == "" {
		s.mu.Unlock()
		return errState
	}
	var number uint32
	switch method {
	case "ACK":
		number, s.ack = s.invited, &w
	case "INVITE":
		s.cseq++
		number, s.invited, s.ack = s.cseq, s.cseq, nil
	default:
		s.cseq++
		number = s.cseq
	}
	var h bytes.Buffer
	if s.routes != "" {
		fmt.Fprintf(&h, "Route: %s\r\n", s.routes)
	}
	fmt.Fprintf(&h, "Contact: <%s>\r\n%s", s.own, more)
	r := &transaction.Request{Method: method, URI: []byte(s.target), CallID: []byte(s.callID), CSeq: number, From: fmt.Appendf(nil, "%s;tag=%s", nameAddr(s.local), s.key),
		To: fmt.Appendf(nil, "%s;tag=%s", nameAddr(s.remote), s.remoteTag), Headers: h.Bytes(), Body: []byte(w.body), Socket: s.socket, Flow: s.flow, Ack: !s.flags.noAck, Done: done}
	s.mu.Unlock()
	if method == "INVITE" {
		r.Done = m.following(s, done)
	}
	handle, err := m.tm.Layer().Originate(by, r)
	if err != nil {
		if more, ok := m.unsent.Open(time.Now(), method); ok {
			m.env.Log.Warn("b2b_entities: a request of a session was not sent", "method", method, "key", s.key, "error", err, "more", more)
		}
		return err
	}
	if method == "INVITE" && handle != 0 {
		s.mu.Lock()
		s.asking = handle
		s.mu.Unlock()
	}
	return nil
}

// following watches over a later INVITE of ours: its session may end before it is answered. done may be nil.
func (m *Module) following(s *Session, done func(o *transaction.Outcome)) func(o *transaction.Outcome) {
	return func(o *transaction.Outcome) {
		s.mu.Lock()
		over := s.state == ended
		switch {
		case o.Code >= 200:
			s.asking = 0
		case o.Exchange != nil:
			s.asking = o.Exchange.Handle()
		}
		s.mu.Unlock()
		switch {
		case !over:
		case o.Code < 200:
			if o.Exchange != nil {
				o.Exchange.Forsake()
			}
			return
		case o.Code < 300 && s.flags.noAck:
			_ = m.send(o.Context, s, "ACK", message{}, nil)
		}
		if done != nil {
			done(o)
		}
	}
}

// update sends a later request that the script asks for, and tells what it came to.
func (m *Module) update(by *proxy.Context, s *Session, method string, w message) error {
	s.mu.Lock()
	ok := s.state == confirmed
	s.mu.Unlock()
	if !ok {
		return errState
	}
	return m.send(by, s, method, w, func(o *transaction.Outcome) {
		s.refresh(method, o)
		if s.flags.replies && o.Code >= 200 {
			m.tell(s, isUpdated, telling{code: o.Code, reason: string(o.Reason), method: method, msg: o.Message})
		}
	})
}

// terminate ends a session: a BYE, the CANCEL of our INVITE, or a refusal of theirs.
func (m *Module) terminate(by *proxy.Context, s *Session, headers string) bool {
	was, first := s.end()
	if !first {
		return false
	}
	m.sessions.remove(s)
	switch {
	case was == confirmed:
		m.abandon(by, s)
		_ = m.send(by, s, "BYE", message{headers: headers}, nil)
	case s.server:
		for {
			p, ok := s.waits("INVITE", true)
			if !ok {
				break
			}
			m.respond(by, s, p, answer{code: 480, message: message{headers: headers}})
		}
	default:
		s.mu.Lock()
		handle := s.invite
		s.mu.Unlock()
		if handle != 0 { // else the first provisional response finds the session ended
			m.tm.Layer().Do(by, handle, func(x *transaction.Exchange, _ *proxy.Context) { x.CancelAll() })
		}
	}
	return true
}
