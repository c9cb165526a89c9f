package tlsstate

import (
	"crypto/tls"
	"crypto/x509"
)

// State describes a connection. It is made anew at each call of Machine.State
// and may be kept.
type State struct {
	Client  bool
	Domain  string // name of the domain that the connection was made with
	Version uint16 // tls.VersionTLS12, tls.VersionTLS13; 0 before it is negotiated
	Cipher  uint16 // IANA number of the cipher suite
	Resumed bool
	// ServerName is the name that the client sent (SNI); "" if none.
	ServerName string
	// Peer is the peer's chain as it sent it, leaf first; empty if it sent none.
	Peer []*x509.Certificate
	// Verified tells that the peer's chain was checked and found good.
	Verified bool
	// Own is our leaf certificate; nil when we sent none.
	Own *x509.Certificate
}

// State describes the connection, as far as it is known.
func (m *machine) State() *State {
	cs := m.conn.ConnectionState()
	s := &State{
		Client:     m.client,
		Version:    cs.Version,
		Cipher:     cs.CipherSuite,
		Resumed:    cs.DidResume,
		ServerName: cs.ServerName,
		Peer:       cs.PeerCertificates,
	}
	if d := m.domain; d != nil {
		s.Domain = d.cfg.Name
		s.Verified = d.cfg.verify() && len(cs.PeerCertificates) > 0 && m.phase != Failed
		s.Own = d.leaf
	}
	return s
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

// CipherName gives the cipher suite as OpenSSL writes it; the IANA name where
// that is the same or has no other.
func (s *State) CipherName() string {
	if s.Version == 0 {
		return ""
	}
	if name, ok := openSSLNames[s.Cipher]; ok {
		return name
	}
	return tls.CipherSuiteName(s.Cipher)
}

// openSSLNames are OpenSSL's own names for suites of TLS 1.2 and before.
var openSSLNames = map[uint16]string{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       "ECDHE-ECDSA-AES128-GCM-SHA256",
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       "ECDHE-ECDSA-AES256-GCM-SHA384",
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:         "ECDHE-RSA-AES128-GCM-SHA256",
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:         "ECDHE-RSA-AES256-GCM-SHA384",
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:   "ECDHE-RSA-CHACHA20-POLY1305",
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:          "ECDHE-ECDSA-AES128-SHA",
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA:          "ECDHE-ECDSA-AES256-SHA",
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:            "ECDHE-RSA-AES128-SHA",
	tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA:            "ECDHE-RSA-AES256-SHA",
}
