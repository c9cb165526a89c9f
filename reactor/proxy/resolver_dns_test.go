package proxy

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
)

// record is what the name server of a test knows of a name and type.
type record struct {
	name string
	kind uint16 // 1 = A, 33 = SRV
	data []byte
}

func a(name, addr string) record { return record{name, 1, net.ParseIP(addr).To4()} }

func srv(name string, priority, port uint16, target string) record {
	b := binary.BigEndian.AppendUint16(nil, priority)
	b = binary.BigEndian.AppendUint16(b, 10)
	b = binary.BigEndian.AppendUint16(b, port)
	return record{name, 33, appendDNSName(b, target)}
}

func appendDNSName(b []byte, name string) []byte {
	for label := range strings.SplitSeq(strings.Trim(name, "."), ".") {
		if label != "" {
			b = append(append(b, byte(len(label))), label...)
		}
	}
	return append(b, 0)
}

// nameServer answers queries over UDP (RFC 1035 4) from a table, is silent for
// all below silent.example, and gives a net.Resolver that asks it.
func nameServer(t *testing.T, zone []record) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := dnsAnswer(buf[:n], zone); out != nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	// net.Resolver goes on with a question for seconds after its context's end.
	var mu sync.Mutex
	var asking []net.Conn
	closed := false
	t.Cleanup(func() {
		pc.Close()
		<-done
		mu.Lock()
		defer mu.Unlock()
		closed = true
		for _, c := range asking {
			c.Close()
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if closed {
			return nil, net.ErrClosed
		}
		c, err := new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
		if err == nil {
			asking = append(asking, c)
		}
		return c, err
	}}
}

// dnsAnswer makes the response to a query of one question.
func dnsAnswer(q []byte, zone []record) []byte {
	if len(q) < 12 {
		return nil
	}
	var labels []string
	i := 12
	for i < len(q) && q[i] != 0 {
		labels = append(labels, string(q[i+1:i+1+int(q[i])]))
		i += 1 + int(q[i])
	}
	question := q[12 : i+5]
	name, kind := strings.Join(labels, "."), binary.BigEndian.Uint16(q[i+1:])
	if strings.HasSuffix(name, ".silent.example") {
		return nil
	}
	var answers []byte
	count, known := 0, false
	for _, r := range zone {
		if !strings.EqualFold(r.name, name) {
			continue
		}
		known = true
		if r.kind == kind {
			count++
			answers = append(answers, 0xc0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 60)
			answers = append(binary.BigEndian.AppendUint16(answers, uint16(len(r.data))), r.data...)
		}
	}
	code := byte(0x80)
	if !known {
		code |= 3 // no such name
	}
	out := append([]byte{q[0], q[1], 0x85, code, 0, 1, 0, byte(count), 0, 0, 0, 0}, question...)
	return append(out, answers...)
}

// RFC 3263 4.2.
func TestSystemResolverSRV(t *testing.T) {
	r := NewResolver(nameServer(t, []record{
		srv("_sips._tcp.example.com", 20, 5071, "two.example.com"),
		srv("_sips._tcp.example.com", 10, 5061, "one.example.com"),
		srv("_sip._tcp.example.com", 10, 5080, "two.example.com"),
		srv("_sip._udp.example.com", 0, 0, "."),
		a("example.com", "192.0.2.30"),
		a("one.example.com", "192.0.2.11"), a("one.example.com", "192.0.2.12"),
		a("two.example.com", "192.0.2.20"),
		a("plain.example.com", "192.0.2.40"),
	}))
	for _, tc := range []struct {
		name string
		q    Query
		want []string // nil: an error
	}{
		{"TLS by priority", Query{Host: "example.com", Proto: reactor.TLS, DefaultPort: 5061}, []string{"192.0.2.11:5061", "192.0.2.12:5061", "192.0.2.20:5071"}},
		{"TCP", Query{Host: "example.com", Proto: reactor.TCP, DefaultPort: 5060}, []string{"192.0.2.20:5080"}},
		{"a service that is not there", Query{Host: "example.com", Proto: reactor.UDP, DefaultPort: 5060}, nil},
		{"a port forbids SRV", Query{Host: "example.com", Proto: reactor.TLS, Port: 5099, DefaultPort: 5061}, []string{"192.0.2.30:5099"}},
		{"no SRV", Query{Host: "plain.example.com", Proto: reactor.TLS, DefaultPort: 5061}, []string{"192.0.2.40:5061"}},
		{"nothing", Query{Host: "none.example.com", Proto: reactor.TLS, DefaultPort: 5061}, nil},
	} {
		list, err := r.Lookup(t.Context(), tc.q)
		var got []string
		for _, ap := range list {
			got = append(got, ap.String())
		}
		if len(got) > 2 && got[0] > got[1] {
			got[0], got[1] = got[1], got[0] // addresses of one host are in no order
		}
		if !slices.Equal(got, tc.want) || (err == nil) != (tc.want != nil) {
			t.Errorf("%s: %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
}

// A name server that says nothing is waited for as long as the deadline says,
// and then not asked again for a while.
func TestSilentNameServer(t *testing.T) {
	c := newHostCache(NewResolver(nameServer(t, nil)))
	c.timeout = 10 * time.Millisecond
	if _, err := c.lookup("k", Query{Host: "h.silent.example", Proto: reactor.TLS}); !errors.Is(err, ErrUnresolved) {
		t.Error(err)
	}
	c.mu.RLock()
	e := c.hosts["k"]
	c.mu.RUnlock()
	<-e.done
	if _, err, ok := c.cached([]byte("k")); !ok || !errors.Is(err, ErrUnresolved) {
		t.Error(err, ok)
	}
}

// partly is a Resolver that is silent for all below silent.example until hold
// is closed.
type partly struct {
	Resolver
	hold chan struct{}
}

func (p partly) Lookup(ctx context.Context, q Query) ([]netip.AddrPort, error) {
	if strings.HasSuffix(q.Host, ".silent.example") {
		<-p.hold
		return nil, ctx.Err()
	}
	return p.Resolver.Lookup(ctx, q)
}

// One client sends requests to a thousand names of which nobody hears anything.
// It gets an answer to each, most of them at once; to others, names and all, it
// is as if it was not there.
func TestSilentNamesHoldUpNobody(t *testing.T) {
	const n = 1000
	names := partly{NewResolver(nameServer(t, []record{a("known.example", "127.0.0.1")})), make(chan struct{})}
	l := runWith(t, funcs{request: func(c *Context) {
		c.SetSIPDomain("localhost")
		_ = c.Forward(nil)
	}}, Config{Resolver: names}, func(c *reactor.Config) { c.Workers, c.TLS.MaxPostponed = 2, n })
	l.proxy.hosts.timeout = time.Hour
	release := sync.OnceFunc(func() { close(names.hold) })
	t.Cleanup(release)
	far := l.serve()
	known := strings.Replace(far.uri(), "127.0.0.1", "known.example", 1)

	// Of another address, and so another source.
	d := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}},
		Config: &tls.Config{RootCAs: l.ca, ServerName: "localhost"}}
	c, err := d.Dial("tcp", l.at(reactor.TLS))
	if err != nil {
		t.Fatal(err)
	}
	noisy := newPeer(t, c)
	for i := range n {
		noisy.say(request("OPTIONS", fmt.Sprintf("sip:h%d.silent.example;transport=tls", i), fmt.Sprintf("Call-ID: noisy%d", i)))
	}
	for range n - maxWaitingForSource {
		noisy.expect("SIP/2.0 503 ")
	}
	l.counted(LookupsRefused, n-maxWaitingForSource)
	calm := l.dial()
	var p *peer
	for i := range 50 {
		calm.say(request("OPTIONS", known, fmt.Sprintf("Call-ID: calm%d", i)))
		if p == nil {
			p = far.accept()
		}
		_, rest, _ := strings.Cut(p.expect("OPTIONS "), "\r\n")
		p.say("SIP/2.0 200 OK\r\n" + rest)
		calm.expect("SIP/2.0 200 ")
	}
	release()
	for range maxWaitingForSource {
		noisy.expect("SIP/2.0 503 ")
	}
}
