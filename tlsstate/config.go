package tlsstate

import (
	"crypto"
	"fmt"
)

// Role is the side of a connection that a domain is for.
type Role uint8

// The roles.
const (
	Server Role = iota + 1 // how we answer an inbound handshake
	Client                 // how we make an outbound one
)

// String gives the role as the configuration writes it.
func (r Role) String() string {
	switch r {
	case Server:
		return "server"
	case Client:
		return "client"
	default:
		return fmt.Sprintf("role(%d)", uint8(r))
	}
}

// KeyPair is a certificate chain with its key: as files, as PEM text, or with
// a key that lives elsewhere.
type KeyPair struct {
	CertificateFile, PrivateKeyFile string
	CertificatePEM, PrivateKeyPEM   []byte
	// Signer is used instead of a private key (HSM, PKCS#11, KMS).
	Signer crypto.Signer
}

// DomainConfig is one domain as it is configured. The zero value of a field is
// its default.
type DomainConfig struct {
	Name string // unique among the domains of its role
	Role Role

	// MatchAddresses are "ip:port", "ip" or "*" (the default): of our socket for
	// a server domain, of the destination for a client domain.
	MatchAddresses []string
	// MatchSIPDomains are shell patterns, compared without case; default "*".
	// A server domain matches the SNI name with them ("none" = no SNI), a client
	// domain the host of the next hop's URI.
	MatchSIPDomains []string

	// Method is a TLS version or a range of them; see ParseMethod. "" is
	// TLS 1.2 and all above.
	Method string
	// VerifyCert: a server asks for a certificate and verifies it if one is
	// sent, a client verifies the server's. nil = yes.
	VerifyCert *bool
	// RequireCert: no certificate, no connection. nil = yes for a server, no
	// for a client, whose peer must always have one.
	RequireCert *bool
	// VerifyDomain: the certificate must name the SIP domain that is meant
	// (RFC 5922). nil = yes for a client, no for a server.
	VerifyDomain *bool

	// Certificates are our own; a server needs one, and may have an RSA pair
	// beside an ECDSA pair.
	Certificates []KeyPair
	// CAFile and CAPEM are the authorities that peers are checked against,
	// CADir a folder of such files. None of them: the system's.
	CAFile string
	CAPEM  []byte
	CADir  string

	// AcceptEKU are the extended key usages of which a peer's certificate must
	// carry one, if it carries any: "serverAuth", "clientAuth", "any". Empty =
	// all three, since public authorities no longer issue clientAuth.
	AcceptEKU []string
	// SessionTickets allows resumption. nil = yes.
	SessionTickets *bool
}

// Config is a set of domains. The order of the domains decides between those
// that match equally well.
type Config struct {
	Domains []DomainConfig
}

func (c *DomainConfig) verify() bool { return or(c.VerifyCert, true) }

func (c *DomainConfig) require() bool { return or(c.RequireCert, c.Role == Server) }

func (c *DomainConfig) verifyDomain() bool { return or(c.VerifyDomain, c.Role == Client) }

func (c *DomainConfig) tickets() bool { return or(c.SessionTickets, true) }

// or gives the value that was set, or the default.
func or(set *bool, def bool) bool {
	if set == nil {
		return def
	}
	return *set
}
