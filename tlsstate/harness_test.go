package tlsstate_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

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

// serverDomain and clientDomain are the domains that most tests begin with.
func (w *world) serverDomain() tlsstate.DomainConfig {
	return tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, CAPEM: w.ca.CertPEM(),
		Certificates: []tlsstate.KeyPair{keyPair(w.server)}}
}

func (w *world) clientDomain() tlsstate.DomainConfig {
	return tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, CAPEM: w.ca.CertPEM(),
		Certificates: []tlsstate.KeyPair{keyPair(w.client)}}
}

func build(t testing.TB, domains ...tlsstate.DomainConfig) *tlsstate.Set {
	t.Helper()
	return buildConfig(t, tlsstate.Config{Domains: domains})
}

func buildConfig(t testing.TB, cfg tlsstate.Config) *tlsstate.Set {
	t.Helper()
	set, err := tlsstate.Build(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// set has a server domain and a client domain, both changed by f.
func (w *world) set(t testing.TB, f func(server, client *tlsstate.DomainConfig)) *tlsstate.Set {
	t.Helper()
	s, c := w.serverDomain(), w.clientDomain()
	if f != nil {
		f(&s, &c)
	}
	return build(t, s, c)
}

func query(host string) tlsstate.ClientQuery {
	return tlsstate.ClientQuery{SIPDomain: host, Addr: listener}
}

func newServer(t testing.TB, set *tlsstate.Set) tlsstate.Machine {
	t.Helper()
	m, err := set.NewServer(listener, caller)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return m
}

func newClient(t testing.TB, set *tlsstate.Set, host string) tlsstate.Machine {
	t.Helper()
	m, err := set.NewClient(query(host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return m
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

// buffer has room for any record.
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
	if a.Phase() == tlsstate.Handshaking {
		a.step(nil)
	}
	if b.Phase() == tlsstate.Handshaking {
		b.step(nil)
	}
	for carry(a, b, cut) || carry(b, a, cut) {
	}
}

// carry brings what from has to say to the other end, up to its first answer.
func carry(from, to *end, cut cutter) (some bool) {
	for len(from.Output()) > 0 {
		some = true
		out := from.Output()
		n := cut(len(out))
		part := bytes.Clone(out[:n])
		from.Sent(n)
		if to.err == nil {
			to.step(part)
		}
	}
	return some
}

// pair is a server and a client machine of a set, connected to each other.
func pair(t testing.TB, set *tlsstate.Set, host string, cut cutter) (server, client *end) {
	t.Helper()
	server = &end{Machine: newServer(t, set)}
	client = &end{Machine: newClient(t, set, host)}
	wire(client, server, cut)
	return server, client
}

// connected is a pair that must get through its handshake.
func connected(t testing.TB, set *tlsstate.Set, host string, cut cutter) (server, client *end) {
	t.Helper()
	server, client = pair(t, set, host, cut)
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
