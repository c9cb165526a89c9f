//go:build openssl

package openssl

// #include "shim.h"
import "C"

import "sipreactor/tlsstate/internal/recent"

// sessionsKept is how many peers a client domain remembers the session of.
const sessionsKept = 1024

// sessions remembers the last session with each of a number of peers. It owns a
// reference to each SSL_SESSION.
type sessions struct {
	*recent.Cache[*C.SSL_SESSION]
}

func newSessions(limit int) *sessions {
	return &sessions{recent.New(limit, func(s *C.SSL_SESSION) { C.SSL_SESSION_free(s) })}
}

// get gives a reference to the session of a peer, nil when there is none. The
// caller frees it.
func (s *sessions) get(key string) (session *C.SSL_SESSION) {
	s.Get(key, func(found *C.SSL_SESSION) {
		C.SSL_SESSION_up_ref(found)
		session = found
	})
	return session
}
