package tlsstate

import (
	"container/list"
	"crypto/tls"
	"sync"
)

// sessionCache remembers the last session with each of a number of peers, the
// least recently used one forgotten first. Each client domain has its own, so
// that a session is never offered as somebody else.
type sessionCache struct {
	mu    sync.Mutex
	limit int
	byKey map[string]*list.Element
	order list.List // of *session, most recently used first
}

type session struct {
	key   string
	state *tls.ClientSessionState
}

func newSessionCache(limit int) *sessionCache {
	return &sessionCache{limit: limit, byKey: make(map[string]*list.Element)}
}

func (c *sessionCache) get(key string) (*tls.ClientSessionState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*session).state, true
}

// put remembers a session, or forgets the one that there is when it is nil.
func (c *sessionCache) put(key string, state *tls.ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	switch {
	case state == nil && e != nil:
		c.order.Remove(e)
		delete(c.byKey, key)
	case state == nil:
	case e != nil:
		e.Value.(*session).state = state
		c.order.MoveToFront(e)
	default:
		c.byKey[key] = c.order.PushFront(&session{key, state})
		if c.order.Len() > c.limit {
			last := c.order.Remove(c.order.Back()).(*session)
			delete(c.byKey, last.key)
		}
	}
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
func (s *sessionSlot) Get(string) (*tls.ClientSessionState, bool) { return s.cache.get(s.key) }

// Put remembers a session in the slot.
func (s *sessionSlot) Put(_ string, state *tls.ClientSessionState) { s.cache.put(s.key, state) }

// forget drops the session after a failed handshake, so that the next one is a
// full one, whatever was wrong. nil does nothing.
func (s *sessionSlot) forget() {
	if s != nil {
		s.cache.put(s.key, nil)
	}
}
