package b2b_entities

import (
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/transaction"
)

// Bounds of sessions.
const (
	maxSessions = 100000
	maxPending  = 8                // requests of a session that wait for an answer of ours
	maxAnswer   = 30 * time.Second // how long a later request may wait for it
	maxRinging  = 3 * time.Minute  // and an INVITE
	maxUnacked  = 32 * time.Second // how long a 2xx of ours may wait for its ACK: 64 times T1 (RFC 3261 §13.3.1.4)
)

// state is how far a session is.
type state uint8

const (
	begun     state = iota // the INVITE is not answered
	confirmed              // it was, with a 2xx
	ended
)

// pending is a request that waits for an answer of ours.
type pending struct {
	method string
	handle uint64 // of its transaction
	since  time.Time
	first  bool // it is the session's INVITE
}

// Session is a dialog of ours. Who has it from here may keep and compare it, and hand it back.
type Session struct {
	key    string // our tag
	server bool   // the other party has begun it
	flags  flags
	until  time.Time
	callID string
	local  string // URI, as From or To have it without the tag
	remote string
	own    string // our Contact
	socket *reactor.Socket
	from   time.Time
	owner  Owner                                     // whom it belongs to; nil: the script, by events
	keys   []uac_auth.Credential                     // for challenges of the other party
	first  func(headers string) *transaction.Request // makes our INVITE; nil of a server's

	mu          sync.Mutex // of all below
	state       state
	remoteTag   string
	target      string // where requests of ours go
	routes      string
	flow        reactor.Handle
	cseq        uint32 // of our last request
	invited     uint32 // of our last INVITE
	seen        uint32 // of the other's last request
	invite      uint64 // the transaction of our first INVITE
	asking      uint64 // that of a later one that is not answered; 0: there is none
	waiting     []pending
	unacked     time.Time // since when a 2xx of ours to an INVITE waits for its ACK; zero: none does
	ack         *message  // the last ACK, for a 2xx that comes again; nil: none was sent
	asked       int       // challenges that were answered
	credentials string    // header lines with those answers
}

// flags are those of a session.
type flags struct {
	lasts                                    time.Duration // 0: as the module has it
	acks, replies, noAck, headers, body, mum bool
}

// end makes the session's end known, once; false: it had ended.
func (s *Session) end() (was state, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was = s.state
	s.state = ended
	return was, was != ended
}

// due gives the requests that have waited for too long, and whether the session's time is over, or its 2xx is not
// acknowledged.
func (s *Session) due(now time.Time) (late []pending, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(p pending) bool {
		most := maxAnswer
		if p.method == "INVITE" {
			most = maxRinging
		}
		if now.Sub(p.since) < most {
			return false
		}
		late = append(late, p)
		return true
	})
	return late, now.After(s.until) || !s.unacked.IsZero() && now.Sub(s.unacked) > maxUnacked
}

// accepted notes that a 2xx of ours to an INVITE waits for its ACK from now on, or that this is there.
func (s *Session) accepted(acked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unacked = time.Now(); acked {
		s.unacked = time.Time{}
	}
}

// wait has a request wait for an answer; false: too many do.
func (s *Session) wait(p pending) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= maxPending {
		return false
	}
	s.waiting = append(s.waiting, p)
	return true
}

// waits finds the oldest request of a method that waits; a final answer takes it away.
func (s *Session) waits(method string, final bool) (pending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.waiting, func(p pending) bool { return p.method == method })
	if i < 0 {
		return pending{}, false
	}
	p := s.waiting[i]
	if final {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	return p, true
}

// awaits reports whether the request of a transaction waits for an answer of ours.
func (s *Session) awaits(handle uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.waiting, func(p pending) bool { return p.handle == handle })
}

// forget has the request of a transaction wait no longer.
func (s *Session) forget(handle uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(p pending) bool { return p.handle == handle })
}

// abandoned gives all requests that wait for an answer of ours, which they get now, and the INVITE of ours that waits for one.
func (s *Session) abandoned() (list []pending, asking uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, s.waiting = s.waiting, nil
	asking, s.asking = s.asking, 0
	return list, asking
}

// sessions are all of the program, by their keys. Any goroutine.
type sessions struct {
	mu    sync.Mutex
	byKey map[string]*Session
	calls map[uint64]*Session // servers that have not answered, by the transaction of their INVITE
}

func newSessions() *sessions {
	return &sessions{byKey: map[string]*Session{}, calls: map[uint64]*Session{}}
}

// add reports whether there was room.
func (t *sessions) add(s *Session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byKey) >= maxSessions {
		return false
	}
	t.byKey[s.key] = s
	if s.server {
		t.calls[s.invite] = s
	}
	return true
}

func (t *sessions) get(key string) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byKey[key]
}

// invited finds the session of an INVITE that is not answered.
func (t *sessions) invited(handle uint64) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[handle]
}

// answered forgets that a session's INVITE waits.
func (t *sessions) answered(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.server {
		delete(t.calls, s.invite)
	}
}

func (t *sessions) remove(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byKey, s.key)
	if s.server {
		delete(t.calls, s.invite)
	}
}

func (t *sessions) all() []*Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*Session, 0, len(t.byKey))
	for _, s := range t.byKey {
		list = append(list, s)
	}
	return list
}

func (t *sessions) len() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return uint64(len(t.byKey))
}

// newKey makes the key of a session.
func (m *Module) newKey() string { return m.prefix + "." + rand.Text() }

// token reports whether a text is a token (RFC 3261 25.1).
func token(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-.!%*_+`'~", r))
	}) < 0
}
