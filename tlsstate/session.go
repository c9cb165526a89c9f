package tlsstate

import (
	"crypto/tls"

	"sipreactor/tlsstate/internal/recent"
)

// sessionCache remembers the last session with each of a number of peers. Each
// client domain has its own, so that a session is never offered as somebody
// else.
type sessionCache struct {
	*recent.Cache[*tls.ClientSessionState]
}

// The sessions that a client domain remembers, by number and by the memory that
// they take. A session has the server's whole chain: a peer is verified again when
// its session is resumed, by the authorities and revocations of that time, and sends no
// certificates then.
const (
	SessionsKept     = 1024
	SessionBytesKept = 16 << 20
)

// A session takes three times what it is as bytes: its certificates as they came,
// as they were parsed, and the values of their extensions; and something besides.
// TestSessionMemory has measured it.
const (
	sessionCopies = 3
	sessionBase   = 2 << 10
)

func newSessionCache() *sessionCache {
	return &sessionCache{recent.New[*tls.ClientSessionState](SessionsKept, SessionBytesKept, nil)}
}

// sessionSlot is the place of one peer in a cache, as a tls.ClientSessionCache:
// crypto/tls would look only at the name or the address, we tell peers apart by
// both.
type sessionSlot struct {
	cache *sessionCache
	key   string
}

func (c *sessionCache) slot(key string) *sessionSlot { return &sessionSlot{c, key} }

// Get gives the session of the slot.
func (s *sessionSlot) Get(string) (state *tls.ClientSessionState, ok bool) {
	ok = s.cache.Get(s.key, func(found *tls.ClientSessionState) { state = found })
	return state, ok
}

// Put remembers a session in the slot, or forgets the one that there is when it
// is nil.
func (s *sessionSlot) Put(_ string, state *tls.ClientSessionState) {
	if state == nil {
		s.cache.Forget(s.key)
		return
	}
	size := 0
	if ticket, session, err := state.ResumptionState(); err == nil && session != nil {
		text, err := session.Bytes()
		if err != nil {
			return
		}
		size = sessionBase + sessionCopies*(len(ticket)+len(text))
	}
	s.cache.Put(s.key, state, size)
}

// forget drops the session after a failed handshake, so that the next one is a
// full one, whatever was wrong. nil does nothing.
func (s *sessionSlot) forget() {
	if s != nil {
		s.cache.Forget(s.key)
	}
}
