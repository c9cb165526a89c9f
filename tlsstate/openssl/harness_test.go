//go:build openssl

package openssl_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/openssl"
	"sipreactor/tlsstate/tlstest"
)

// set is what both libraries give.
type set interface {
	NewServer(local, remote netip.AddrPort) (tlsstate.Machine, error)
	NewClient(q tlsstate.ClientQuery) (tlsstate.Machine, error)
	ClientIdentity(q tlsstate.ClientQuery) (domain string, leaf [32]byte, err error)
	Warnings() []string
	Domains() []tlsstate.DomainInfo
}

// library is one of the two, under test by the same suite.
type library struct {
	name  string
	build func(tlsstate.Config) (set, error)
}

var (
	goLibrary = library{"go", func(c tlsstate.Config) (set, error) { return orNil(tlsstate.Build(c)) }}
	libssl    = library{"libssl", func(c tlsstate.Config) (set, error) { return orNil(openssl.Build(c)) }}
	libraries = []library{goLibrary, libssl}
)

func orNil[S set](s S, err error) (set, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// pairing is who answers and who calls.
type pairing struct{ server, client library }

// eachPairing runs a test with every library on either side.
func eachPairing(t *testing.T, f func(t *testing.T, p pairing)) {
	for _, server := range libraries {
		for _, client := range libraries {
			t.Run(client.name+" calls "+server.name, func(t *testing.T) { f(t, pairing{server, client}) })
		}
	}
}

func eachLibrary(t *testing.T, f func(t *testing.T, l library)) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) { f(t, l) })
	}
}

var (
	listener = netip.MustParseAddrPort("192.0.2.1:5061")
	caller   = netip.MustParseAddrPort("192.0.2.77:40000")
)

// world is an authority with a server's and a client's certificate.
type world struct {
	ca             *tlstest.CA
	server, client *tlstest.Pair
}

func newWorld(t testing.TB) *world {
	ca := tlstest.NewCA(t, "test CA")
	return &world{
		ca:     ca,
		server: ca.Leaf(t, tlstest.Leaf{CN: "server", DNS: []string{"sip.example.com"}, IPs: []string{"192.0.2.1"}}),
		client: ca.Leaf(t, tlstest.Leaf{CN: "client", DNS: []string{"client.example.com"}}),
	}
}

func keyPair(p *tlstest.Pair) tlsstate.KeyPair {
	return tlsstate.KeyPair{CertificatePEM: p.CertPEM(), PrivateKeyPEM: p.KeyPEM()}
}

func (w *world) serverDomain() tlsstate.DomainConfig {
	return tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, CAPEM: w.ca.CertPEM(),
		Certificates: []tlsstate.KeyPair{keyPair(w.server)}}
}

func (w *world) clientDomain() tlsstate.DomainConfig {
	return tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, CAPEM: w.ca.CertPEM(),
		Certificates: []tlsstate.KeyPair{keyPair(w.client)}}
}

type change func(server, client *tlsstate.DomainConfig)

// link is a server's and a client's set.
type link struct{ server, client set }

func (w *world) link(t testing.TB, p pairing, f change) link {
	t.Helper()
	s, c := w.serverDomain(), w.clientDomain()
	if f != nil {
		f(&s, &c)
	}
	return link{build(t, p.server, s), build(t, p.client, c)}
}

func build(t testing.TB, l library, domains ...tlsstate.DomainConfig) set {
	t.Helper()
	return buildConfig(t, l, tlsstate.Config{Domains: domains})
}

func buildConfig(t testing.TB, l library, cfg tlsstate.Config) set {
	t.Helper()
	s, err := l.build(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func query(host string) tlsstate.ClientQuery {
	return tlsstate.ClientQuery{SIPDomain: host, Addr: listener}
}

func newServer(t testing.TB, s set) *end {
	t.Helper()
	m, err := s.NewServer(listener, caller)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return &end{Machine: m}
}

func newClient(t testing.TB, s set, host string) *end {
	t.Helper()
	m, err := s.NewClient(query(host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return &end{Machine: m}
}

// A cutter says how many of the n bytes that wait the peer gets next.
type cutter func(n int) int

func whole(n int) int   { return n }
func oneByte(n int) int { return 1 }

func randomCuts(seed uint64) cutter {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(n int) int { return 1 + r.IntN(min(n, 700)) }
}

// end is a machine with what it has read.
type end struct {
	tlsstate.Machine
	in  bytes.Buffer
	err error // of Handshake or Read, ErrWantRead aside
	p   []byte
}

func (e *end) buffer() []byte {
	if e.p == nil {
		e.p = make([]byte, 16384)
	}
	return e.p
}

// step lets a machine go on with some bytes, which are scribbled over when it
// has to be done with them.
func (e *end) step(b []byte) {
	b = bytes.Clone(b)
	e.Feed(b)
	if e.Phase() == tlsstate.Handshaking {
		err := e.Handshake()
		scribble(b)
		if errors.Is(err, tlsstate.ErrWantRead) {
			return
		}
		if err != nil {
			e.err = err
			return
		}
	}
	p := e.buffer()
	for e.err == nil {
		n, err := e.Read(p)
		e.in.Write(p[:n])
		if errors.Is(err, tlsstate.ErrWantRead) {
			break
		}
		e.err = err
	}
	scribble(b)
}

func scribble(b []byte) {
	for i := range b {
		b[i] = 0xEE
	}
}

// wire carries the output of two machines to each other until nothing is left
// to carry.
func wire(a, b *end, cut cutter) {
	for _, e := range []*end{a, b} {
		if e.Phase() == tlsstate.Handshaking {
			e.step(nil)
		}
	}
	for carry(a, b, cut) || carry(b, a, cut) {
	}
}

func carry(from, to *end, cut cutter) (some bool) {
	for len(from.Output()) > 0 {
		some = true
		out := from.Output()
		part := bytes.Clone(out[:cut(len(out))])
		from.Sent(len(part))
		if to.err == nil {
			to.step(part)
		}
	}
	return some
}

// meet lets a server and a client machine talk to each other.
func (l link) meet(t testing.TB, host string, cut cutter) (server, client *end) {
	t.Helper()
	server, client = newServer(t, l.server), newClient(t, l.client, host)
	wire(client, server, cut)
	return server, client
}

// connect is a meeting that must get through its handshake.
func (l link) connect(t testing.TB, host string, cut cutter) (server, client *end) {
	t.Helper()
	server, client = l.meet(t, host, cut)
	if server.Phase() != tlsstate.Established || client.Phase() != tlsstate.Established {
		t.Fatalf("server %v (%v), client %v (%v)", server.Phase(), server.err, client.Phase(), client.err)
	}
	return server, client
}

// exchange sends a text both ways.
func exchange(t testing.TB, a, b *end, cut cutter, text []byte) {
	t.Helper()
	for _, dir := range [][2]*end{{a, b}, {b, a}} {
		from, to := dir[0], dir[1]
		to.in.Reset()
		if n, err := from.Write(text); n != len(text) || err != nil {
			t.Fatalf("wrote %d: %v", n, err)
		}
		wire(from, to, cut)
		if to.err != nil {
			t.Fatal(to.err)
		}
		if !bytes.Equal(to.in.Bytes(), text) {
			t.Fatalf("read %d bytes, %d were written", to.in.Len(), len(text))
		}
	}
}

// goodbye closes both ends in order.
func goodbye(t testing.TB, a, b *end) {
	t.Helper()
	if err := a.CloseNotify(); err != nil {
		t.Fatal(err)
	}
	wire(a, b, whole)
	if b.err != io.EOF || b.Phase() != tlsstate.PeerClosed {
		t.Fatalf("after close_notify: %v, %v", b.err, b.Phase())
	}
	if err := b.CloseNotify(); err != nil {
		t.Fatal(err)
	}
	wire(a, b, whole)
	if a.err != io.EOF || a.Phase() != tlsstate.Closed || b.Phase() != tlsstate.Closed {
		t.Fatalf("after both: %v, %v and %v", a.err, a.Phase(), b.Phase())
	}
}

// wantError checks that an error is an *Error with that blame and reason.
func wantError(t testing.TB, err error, blame tlsstate.Blame, reason string) *tlsstate.Error {
	t.Helper()
	var e *tlsstate.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v (%T) is no *Error; want %q", err, err, reason)
	}
	if e.Blame != blame || e.Reason != reason {
		t.Fatalf("%v: %v; want %v: %q", e.Blame, e, blame, reason)
	}
	return e
}

func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('A' + i%26)
	}
	return b
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }
