package tlstest

import (
	"net/netip"
	"testing"

	"sipreactor/tlsstate"
)

// Listener and Caller are the ends that a server's machine is told of: nobody
// opens a socket there.
var (
	Listener = netip.MustParseAddrPort("192.0.2.1:5061")
	Caller   = netip.MustParseAddrPort("192.0.2.77:40000")
)

// World is an authority with a server's and a client's certificate.
type World struct {
	CA             *CA
	Server, Client *Pair
}

// NewWorld makes a server for sip.example.com and 192.0.2.1, and a client.
func NewWorld(t testing.TB) *World {
	t.Helper()
	ca := NewCA(t, "test CA")
	return &World{
		CA:     ca,
		Server: ca.Leaf(t, Leaf{CN: "server", DNS: []string{"sip.example.com"}, IPs: []string{"192.0.2.1"}}),
		Client: ca.Leaf(t, Leaf{CN: "client", DNS: []string{"client.example.com"}}),
	}
}

// ServerDomain is the server domain that most tests begin with.
func (w *World) ServerDomain() tlsstate.DomainConfig {
	return tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, CAPEM: w.CA.CertPEM(),
		Certificates: []tlsstate.KeyPair{w.Server.KeyPair()}}
}

// ClientDomain is the client domain that most tests begin with.
func (w *World) ClientDomain() tlsstate.DomainConfig {
	return tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, CAPEM: w.CA.CertPEM(),
		Certificates: []tlsstate.KeyPair{w.Client.KeyPair()}}
}

// KeyPair is the pair for a domain.
func (p *Pair) KeyPair() tlsstate.KeyPair {
	return tlsstate.KeyPair{CertificatePEM: p.CertPEM(), PrivateKeyPEM: p.KeyPEM()}
}

// Change changes the two domains of a Link before they are built.
type Change func(server, client *tlsstate.DomainConfig)

// Method is a Change to a tls_method of the server.
func Method(s string) Change {
	return func(server, _ *tlsstate.DomainConfig) { server.Method = s }
}

// EKU changes what a domain accepts.
func EKU(names ...string) func(*tlsstate.DomainConfig) {
	return func(d *tlsstate.DomainConfig) { d.AcceptEKU = names }
}

// Yes is a setting that is on.
func Yes() *bool { b := true; return &b }

// No is a setting that is off.
func No() *bool { b := false; return &b }

// Query asks for a host at Listener.
func Query(host string) tlsstate.ClientQuery {
	return tlsstate.ClientQuery{SIPDomain: host, Addr: Listener}
}

// Text is n bytes of text.
func Text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('A' + i%26)
	}
	return b
}
