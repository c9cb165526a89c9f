//go:build openssl

package openssl

// #include "shim.h"
import "C"

import (
	"sipreactor/tlsstate"
	"sipreactor/tlsstate/internal/recent"
)

// sessions remembers the last session with each of a number of peers. It owns a
// reference to each SSL_SESSION.
type sessions struct {
	*recent.Cache[*C.SSL_SESSION]
}

func newSessions() *sessions {
	return &sessions{recent.New(tlsstate.SessionsKept, tlsstate.SessionBytesKept, func(s *C.SSL_SESSION) { C.SSL_SESSION_free(s) })}
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
