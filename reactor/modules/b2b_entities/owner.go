package b2b_entities

import (
	"sipreactor/reactor"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// Owner is whom a session belongs to: a module, which is told what the script is told of others. It is called by the
// goroutine that has found out, with no lock held.
type Owner interface {
	Happened(s *Session, h Happening)
}

// Happening is what the other party of a session has done. It is valid in the call only.
type Happening struct {
	What    string // as event_type of E_UA_SESSION
	Code    int    // 0: it is a request, or the session's time is over
	Reason  string
	Method  string
	Message *sipframe.Message // nil: there is none
	By      *proxy.Context    // that of the goroutine; nil: it has none
}

// What a Happening tells.
const (
	Early      = isEarly      // a provisional response
	Answered   = isAnswered   // a 2xx; the ACK is left to Send
	Rejected   = isRejected   // a final refusal, or nobody has answered
	Updated    = isUpdated    // a later request, which waits for Respond unless it is an ACK or the CANCEL of one
	Terminated = isTerminated // a BYE, which is answered, a CANCEL, or its time is over
)

// Call is what a session of ours begins with.
type Call struct {
	URI, To, From       string // values of headers: URIs, with or without names
	Proxy               string // where it goes; "" by its URI
	Contact             string
	Socket              *reactor.Socket
	Body, Type, Headers string
	Credentials         []uac_auth.Credential // for challenges; without those they are told as refusals
}

// Accept makes a session of the INVITE at hand; nil: it cannot be one.
func (m *Module) Accept(x *script.Machine, o Owner, contact string) *Session {
	s := m.accept(x, flags{noAck: true}, o)
	if s != nil && contact != "" {
		s.own = contact
	}
	return s
}

// Begin sends the INVITE of a new session; by is the Context of the goroutine, nil where it has none.
func (m *Module) Begin(by *proxy.Context, c *Call, o Owner) (*Session, error) {
	key, err := m.begin(by, &call{uri: c.URI, to: c.To, from: c.From, proxy: c.Proxy, socket: c.Socket, contact: c.Contact,
		message: message{c.Body, c.Headers, c.Type}, owner: o, keys: c.Credentials}, flags{noAck: true})
	if err != nil {
		return nil, err
	}
	return m.sessions.get(key), nil
}

// Credentials are those that module uac_auth has for a message; nil: none.
func (m *Module) Credentials(x *script.Machine) []uac_auth.Credential {
	if m.auth == nil {
		return nil
	}
	return m.auth.Credentials(x)
}

// Contact is the URI of our Contact for the message at hand.
func (m *Module) Contact(c *proxy.Context) string { return m.contactOf(c) }

// Send sends a later request; done is told its responses, nil is nobody. by is the Context of the goroutine, nil where it has none.
func (m *Module) Send(by *proxy.Context, s *Session, method, body, headers, kind string, done func(o *transaction.Outcome)) error {
	return m.send(by, s, method, message{body, headers, kind}, func(o *transaction.Outcome) {
		s.refresh(method, o)
		if done != nil {
			done(o)
		}
	})
}

// Cancel cancels a later INVITE that was sent. It reports whether there is one that is not answered.
func (m *Module) Cancel(by *proxy.Context, s *Session) bool {
	s.mu.Lock()
	asking := s.asking
	s.mu.Unlock()
	return asking != 0 && m.tm.Layer().Do(by, asking, func(x *transaction.Exchange, _ *proxy.Context) { x.CancelAll() })
}

// Respond answers the oldest request of a method that waits.
func (m *Module) Respond(by *proxy.Context, s *Session, method string, code int, reason, body, headers, kind string) error {
	return m.respondOldest(by, s, method, answer{code, reason, message{body, headers, kind}})
}

// End ends a session: a BYE, the CANCEL of our INVITE, or a refusal of theirs. It reports whether it was not over.
func (m *Module) End(by *proxy.Context, s *Session) bool { return m.terminate(by, s, "") }

// Own is the URI of our Contact in the session.
func (s *Session) Own() string { return s.own }

// Remote is the URI of the other party, as its header has it.
func (s *Session) Remote() string { return s.remote }

// Socket is that of the session; nil is any.
func (s *Session) Socket() *reactor.Socket { return s.socket }

// Key is our tag of the session's dialog.
func (s *Session) Key() string { return s.key }

// CallID is that of the dialog.
func (s *Session) CallID() string { return s.callID }

// RemoteTag is the other party's, "" before it has answered.
func (s *Session) RemoteTag() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remoteTag
}

// Confirmed reports whether the session is answered and not over.
func (s *Session) Confirmed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == confirmed
}
