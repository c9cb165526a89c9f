//go:build openssl

package openssl

// #include "shim.h"
import "C"

import (
	"container/list"
	"strings"
	"sync"

	"sipreactor/tlsstate"
)

// sessionsKept is how many peers a client domain remembers the session of.
const sessionsKept = 1024

// sessions remembers the last session with each of a number of peers, the least
// recently used one forgotten first. It owns a reference to each SSL_SESSION.
type sessions struct {
	mu    sync.Mutex
	limit int
	byKey map[string]*list.Element
	order list.List // of *session, most recently used first
}

type session struct {
	key string
	ssl *C.SSL_SESSION
}

func newSessions(limit int) *sessions {
	return &sessions{limit: limit, byKey: make(map[string]*list.Element)}
}

// sessionKey tells peers apart, by name and address.
func sessionKey(q tlsstate.ClientQuery) string {
	return strings.ToLower(q.SIPDomain) + " " + q.Addr.String()
}

// get gives a reference to the session of a peer, nil when there is none. The
// caller frees it.
func (s *sessions) get(key string) *C.SSL_SESSION {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byKey[key]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	ssl := e.Value.(*session).ssl
	C.SSL_SESSION_up_ref(ssl)
	return ssl
}

// put remembers a session and takes over the reference; nil forgets the one
// that there is.
func (s *sessions) put(key string, ssl *C.SSL_SESSION) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byKey[key]; e != nil {
		s.drop(e)
	}
	if ssl == nil {
		return
	}
	s.byKey[key] = s.order.PushFront(&session{key, ssl})
	if s.order.Len() > s.limit {
		s.drop(s.order.Back())
	}
}

func (s *sessions) drop(e *list.Element) {
	old := s.order.Remove(e).(*session)
	delete(s.byKey, old.key)
	C.SSL_SESSION_free(old.ssl)
}

func (s *sessions) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.order.Len() > 0 {
		s.drop(s.order.Back())
	}
}
