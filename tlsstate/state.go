package tlsstate

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
)

// State describes a connection. It does not change, and any goroutine may use
// it; the certificates are shared and not to be changed.
type State struct {
	Client  bool
	Domain  string // name of the domain that the connection was made with; "" before the choice
	Version uint16 // tls.VersionTLS12, tls.VersionTLS13; 0 before it is negotiated
	Cipher  uint16 // IANA number of the cipher suite
	Resumed bool   // by a session ticket: no certificate was sent
	// Retried tells that the server asked for another key share (RFC 8446
	// 4.1.4): a round trip more.
	Retried bool
	// ServerName is the name that the client sent (SNI); "" if none.
	ServerName string
	// Peer is the peer's chain as it sent it, leaf first, now or when the resumed
	// session was made; empty if it sent none.
	Peer []*x509.Certificate
	// Verified tells that the peer's chain was checked, as the domain demands,
	// and found good. is_peer_verified() of OpenSIPS.
	Verified bool
	// Asked tells a client that the server wanted a certificate, whether one was
	// shown (Own) or not. In TLS 1.3 the server judges that behind our handshake,
	// and may throw away what came with it. Not after a resumption.
	Asked bool
	// Own is our leaf certificate; nil when we sent none. After a resumption it
	// is the one that the domain prefers.
	Own *x509.Certificate

	judge   *domain // whom Verdict asks when nobody checked the chain
	once    sync.Once
	verdict Verdict

	lookOnce sync.Once
	byName   bool // the peer's common name counts
}

// State describes the connection, as far as it is known.
func (m *machine) State() *State {
	if m.state != nil {
		return m.state
	}
	s := &State{Client: m.client, Own: m.own, Asked: m.asked}
	if m.domain != nil {
		s.Domain = m.domain.cfg.Name
	}
	if m.phase == Handshaking || m.conn == nil {
		return s // the coroutine has the connection, or it is gone
	}
	cs := m.conn.ConnectionState()
	s.Version, s.Cipher = cs.Version, cs.CipherSuite
	s.Resumed, s.Retried = cs.DidResume, cs.HelloRetryRequest
	s.ServerName = cs.ServerName
	s.Peer = cs.PeerCertificates
	if m.domain != nil {
		s.judge = m.domain
		s.Verified = m.domain.verify && len(s.Peer) > 0 && cs.HandshakeComplete
		if s.Own == nil && cs.DidResume {
			s.Own = m.domain.leaf()
		}
	}
	m.state = s
	return s
}

// Verdict tells what the check of the peer's chain comes to, by the domain's
// authorities and revocation lists; that of a domain that checks nothing
// (verify_cert 0) is made at the first call.
func (s *State) Verdict() Verdict {
	s.once.Do(func() {
		switch {
		case len(s.Peer) == 0:
			s.verdict = VerdictNone
		case s.Verified:
			s.verdict = VerdictOK
		case s.judge != nil:
			s.verdict = VerdictOK
			if _, refused := s.judge.verifyChain(s.Peer); refused != nil {
				s.verdict = refused.verdict
			}
		}
	})
	return s.verdict
}

// SpeaksFor tells whether the peer's certificate names a SIP domain, by the
// rules of RFC 5922 7.1. That the certificate is to be believed is Verified.
func (s *State) SpeaksFor(sipDomain string) bool {
	return len(s.Peer) > 0 && names(s.Peer[0], sipDomain, s.commonName())
}

// commonName reports whether the common name of the peer's certificate may stand
// for a domain. The chain's path to its authority is looked for once, and only
// when there is nothing but a common name.
func (s *State) commonName() bool {
	s.lookOnce.Do(func() {
		if hasSAN(s.Peer[0]) {
			return
		}
		path := s.Peer
		if s.judge != nil {
			if good, refused := s.judge.verifyChain(s.Peer); refused == nil {
				path = good
			}
		}
		s.byName = !constrained(path)
	})
	return s.byName
}

// VersionName gives the version as OpenSSL writes it: "TLSv1.2", "TLSv1.3".
func (s *State) VersionName() string {
	switch s.Version {
	case tls.VersionTLS10:
		return "TLSv1"
	case tls.VersionTLS11:
		return "TLSv1.1"
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	default:
		return ""
	}
}

// CipherName gives the cipher suite as OpenSSL writes it: that of TLS 1.2 and
// before by OpenSSL's own name, that of TLS 1.3 by IANA's.
func (s *State) CipherName() string {
	if s.Version == 0 {
		return ""
	}
	if c := suiteByID(s.Cipher); c != nil {
		return c.name
	}
	if name, ok := suiteNames[s.Cipher]; ok {
		return name
	}
	return tls.CipherSuiteName(s.Cipher)
}

// CipherBits gives the length of the cipher's key; 0 before it is negotiated.
func (s *State) CipherBits() int {
	switch s.Cipher {
	case tls.TLS_AES_128_GCM_SHA256:
		return 128
	case tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256:
		return 256
	}
	if c := suiteByID(s.Cipher); c != nil {
		return c.bits
	}
	return 0
}
