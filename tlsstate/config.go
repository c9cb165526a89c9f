package tlsstate

import (
	"crypto"
	"fmt"
	"io"
	"net/netip"
	"time"
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

// KeyPair is a certificate chain, leaf first, with its key: as files, as PEM
// text, or with a key that lives elsewhere.
type KeyPair struct {
	CertificateFile, PrivateKeyFile string
	CertificatePEM, PrivateKeyPEM   []byte
	// Signer is used instead of a private key (HSM, PKCS#11, KMS). It is called
	// in Handshake, by several goroutines at once. One that takes its time is best
	// an AsyncSigner.
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
	// Ciphers restricts the cipher suites of TLS 1.2 and before; see
	// ParseCiphers. "" is crypto/tls's own choice.
	Ciphers string
	// Curves restricts the key exchange groups; see ParseCurves. "" is
	// X25519MLKEM768, X25519, P-256 and P-384. Of those crypto/tls takes, before
	// TLS 1.3, the client's first but P-256 before X25519, which costs it more.
	Curves string
	// DHParams is accepted and warned of: finite-field DH is not offered.
	DHParams string

	// VerifyCert: a server asks for a certificate and verifies it if one is
	// sent, a client verifies the server's. nil = yes.
	VerifyCert *bool
	// RequireCert: no certificate, no connection. nil = yes for a server that
	// verifies, no for a client, whose peer must always have one.
	RequireCert *bool
	// VerifyDomain: a client demands that the certificate names the SIP domain
	// that it wants to reach, a server that it names one at all (RFC 5922). nil =
	// yes for a client, no for a server. It does nothing without VerifyCert.
	VerifyDomain *bool

	// Certificates are our own; a server needs one, and may have an RSA pair
	// beside an ECDSA pair.
	Certificates []KeyPair
	// CAFile and CAPEM are the authorities that peers are checked against,
	// CADir a folder of such files. None of them: the system's.
	CAFile string
	CAPEM  []byte
	CADir  string
	// CRLDir is a folder of certificate revocation lists, PEM or DER: every file
	// in it must be one that is in force. With it, a peer's certificate passes
	// only if its issuer's list is there and does not name it.
	CRLDir string
	// CRLCheckAll asks for the lists of the whole chain, not only of the leaf's
	// issuer.
	CRLCheckAll bool

	// AcceptEKU are the extended key usages of which a peer's chain must allow
	// one: "serverAuth", "clientAuth", "any" (the usage anyExtendedKeyUsage),
	// "sipDomain" (RFC 5924). Empty = the first three, since public authorities
	// no longer issue clientAuth. A certificate without the extension allows all.
	AcceptEKU []string
	// SessionTickets allows resumption. nil = yes.
	SessionTickets *bool
}

// Config is a set of domains. The order of the domains decides between those
// that match equally well.
type Config struct {
	Domains []DomainConfig
	// TicketKeys seal the session tickets of the server domains. nil: keys of the
	// set's own, so that no ticket outlives it. Give the same ones to each Build
	// and tickets live through reloads, as far as a domain's demands stay as they
	// were.
	TicketKeys *TicketKeys
	// KeyLog gets the secrets of connections as NSS key log lines, which let
	// whoever has them read the traffic. nil = none. It is written to by several
	// goroutines, one line a call.
	KeyLog io.Writer
	// KeyLogFilter chooses the peers whose secrets are logged; nil = all.
	KeyLogFilter func(peer netip.AddrPort) bool
	// Secrets is asked of each connection that begins whether its machine keeps
	// its secrets for Machine.Secrets; nil = none does. Several goroutines call
	// it.
	Secrets func() bool
	// Signer gives what signs with a private key that was read, so that it can do
	// its work elsewhere; nil = crypto/tls itself. Keys that are a KeyPair's
	// Signer already are not handed to it.
	Signer func(key crypto.Signer) (crypto.Signer, error)
	// Time is the clock by which certificates are valid; nil = time.Now.
	Time func() time.Time
}

func (c *DomainConfig) verify() bool { return or(c.VerifyCert, true) }

func (c *DomainConfig) require() bool {
	return or(c.RequireCert, c.Role == Server && c.verify())
}

func (c *DomainConfig) verifyDomain() bool { return or(c.VerifyDomain, c.Role == Client) }

func (c *DomainConfig) tickets() bool { return or(c.SessionTickets, true) }

// or gives the value that was set, or the default.
func or(set *bool, def bool) bool {
	if set == nil {
		return def
	}
	return *set
}
