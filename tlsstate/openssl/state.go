//go:build openssl

package openssl

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"bytes"
	"crypto/x509"
	"unsafe"

	"sipreactor/tlsstate"
)

// use begins the handshake of the machine's domain.
func (m *machine) use() bool {
	var now C.int64_t
	if m.set.clock {
		now = C.int64_t(m.set.time().Unix())
	}
	var name *C.char
	if m.client && m.name != "" {
		name = C.CString(m.name)
		defer C.free(unsafe.Pointer(name))
	}
	m.logged = m.set.logs(m.remote)
	m.kept = m.set.secrets != nil && m.set.secrets()
	m.c.log = flag(m.logged || m.kept)
	if m.domain.judge {
		m.c.judge = 1
	}
	if C.sc_conn_use(m.c, m.domain.held.ctx, flag(!m.client), now, name) == 0 {
		m.fail(internal("libssl makes no connection"))
		return false
	}
	if m.slot != "" {
		if s := m.domain.sessions.get(m.slot); s != nil {
			C.sc_conn_resume(m.c, s)
			C.SSL_SESSION_free(s)
		}
	}
	return true
}

// judge tells libssl whether the server's certificate names the SIP domain or
// address that we meant to reach (RFC 5922 7).
func (m *machine) judge() {
	const good, bad = 2, 3
	m.c.judge = bad
	if m.judged().SpeaksFor(m.host) {
		m.c.judge = good
	}
}

// judged is the peer's chain before its domain.
func (m *machine) judged() *tlsstate.State {
	s := &tlsstate.State{Client: m.client, Domain: m.domain.name, Peer: m.chain()}
	m.set.plain.Judge(s)
	return s
}

// chain is the peer's, as it sent it, leaf first.
func (m *machine) chain() []*x509.Certificate {
	if m.peer == nil && m.c != nil && m.c.ssl != nil {
		if der := export(func(n *C.size_t) *C.uchar { return C.sc_peers(m.c, n) }); der != nil {
			m.peer, _ = x509.ParseCertificates(der) // one that Go cannot read leaves none
		}
	}
	return m.peer
}

// export copies what C has made into Go's memory.
func export(f func(*C.size_t) *C.uchar) []byte {
	var n C.size_t
	p := f(&n)
	if p == nil {
		return nil
	}
	defer C.sc_free(unsafe.Pointer(p))
	return C.GoBytes(unsafe.Pointer(p), C.int(n))
}

// State describes the connection, as far as it is known.
func (m *machine) State() *tlsstate.State {
	if m.state != nil {
		return m.state
	}
	s := &tlsstate.State{Client: m.client}
	if m.domain != nil {
		s.Domain = m.domain.name
	}
	if m.phase == tlsstate.Handshaking || m.c == nil {
		return s
	}
	s.ServerName = m.name
	if m.domain != nil {
		m.describe(s)
	}
	m.state = s
	return s
}

func (m *machine) describe(s *tlsstate.State) {
	C.sc_describe(m.c)
	through := m.failed == nil || m.c.resumed != 0
	if m.c.cipher != 0 || through {
		s.Version, s.Cipher = uint16(m.c.version), uint16(m.c.cipher)
	}
	s.Resumed, s.Retried = m.c.resumed != 0, m.c.retried != 0
	s.Asked = m.client && !s.Resumed && m.c.asked != 0
	s.Peer = m.chain()
	s.Verified = m.domain.verify && len(s.Peer) > 0 && m.c.verify_error == 0 && bool(C.SSL_is_init_finished(m.c.ssl) == 1)
	m.set.plain.Judge(s)
	switch {
	case s.Resumed && len(m.domain.own) > 0:
		s.Own = m.domain.own[0]
	case !s.Resumed && m.c.asked != 0:
		s.Own = m.domain.ours(export(func(n *C.size_t) *C.uchar { return C.sc_own(m.c, n) }))
	}
}

// Secrets gives the connection's secrets so far, and forgets them. libssl tells
// those of a resumed connection, too.
func (m *machine) Secrets() string {
	lines := string(m.secrets)
	clear(m.secrets)
	m.secrets = nil
	return lines
}

// logSecrets hands the key log lines of the last step to who wants them, to the
// log one a call.
func (m *machine) logSecrets() {
	text := unsafe.Slice((*byte)(unsafe.Pointer(m.c.secrets)), int(m.c.secrets_len))
	if m.kept {
		m.secrets = append(m.secrets, text...)
	}
	if m.logged {
		for line := range bytes.Lines(text) {
			_, _ = m.set.keyLog.Write(bytes.Clone(line)) // a log that is full stops nobody
		}
	}
	C.sc_drop_secrets(m.c)
}
