package b2b_entities

import (
	"strings"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/transaction"
)

// maxAsked bounds the challenges of one INVITE that are answered: a server's, and one of a proxy before it.
const maxAsked = 2

// authorize answers a challenge to a session's INVITE by the INVITE with credentials. It reports whether that was sent.
func (m *Module) authorize(s *Session, o *transaction.Outcome) bool {
	header, with := "WWW-Authenticate", "Authorization: "
	if o.Code == 407 {
		header, with = "Proxy-Authenticate", "Proxy-Authorization: "
	}
	keys := s.keys
	if keys == nil && s.owner == nil && m.auth != nil {
		keys = m.auth.Fixed()
	}
	if o.Code != 401 && o.Code != 407 || o.Message == nil || len(keys) == 0 {
		return false
	}
	var challenges [][]byte
	for i := range o.Message.NumHeaders() {
		if h := o.Message.Header(i); strings.EqualFold(string(o.Message.Bytes(h.Name)), header) {
			challenges = append(challenges, o.Message.Bytes(h.Value))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != begun || s.asked == maxAsked || strings.Contains(s.credentials, with) { // they were refused
		return false
	}
	r := digest.Request{Method: []byte("INVITE"), URI: []byte(s.target), Count: 1}
	value, which := uac_auth.Answer(challenges, keys, uac_auth.Choice{}, &r)
	if which < 0 {
		return false
	}
	s.asked++
	s.cseq++
	s.invited, s.invite = s.cseq, 0
	s.credentials += with + string(value) + "\r\n"
	_, err := m.tm.Layer().Originate(o.Context, s.first(s.credentials))
	return err == nil
}

// refresh takes the other party's Contact from a 2xx that renews it (RFC 3261 12.2.1.2).
func (s *Session) refresh(method string, o *transaction.Outcome) {
	if o.Code < 200 || o.Code >= 300 || method != "INVITE" && method != "UPDATE" || o.Message == nil {
		return
	}
	if a, err := o.Message.Contact(); err == nil && a != nil && !a.Star {
		s.mu.Lock()
		s.target = string(o.Message.Bytes(a.URI))
		s.mu.Unlock()
	}
}
