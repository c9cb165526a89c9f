package hep

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/tlsstate"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// gnet's own pool for enrolling lives as long as the process.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
	)
}

// patience is how long a test waits for what must happen: far more than it
// takes on a busy machine.
const patience = 20 * time.Second

// collector is the other end: it reads packets from UDP or a stream, cut
// anywhere, and remembers them.
type collector struct {
	t    testing.TB
	dest Destination

	mu      sync.Mutex
	wire    [][]byte
	packets []Packet
	conns   []net.Conn
	ended   bool
	wait    sync.WaitGroup
	closer  interface{ Close() error }
}

// cuts are how many bytes a collector reads at a time from a stream.
var cuts = []int{1, 7, 2, 300, 5, 4096, 3}

// collect runs a collector. refuse, if it is not nil, is asked what to do with
// the n-th connection: true ends it at once.
func collect(t testing.TB, transport Transport, refuse func(n int) bool) *collector {
	t.Helper()
	c := &collector{t: t}
	t.Cleanup(c.close)
	if transport == UDP {
		u, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c.closer, c.dest = u, destination(u.LocalAddr(), UDP)
		c.wait.Add(1)
		go c.datagrams(u)
		return c
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if transport == TLS {
		pair, err := selfSigned()
		if err != nil {
			t.Fatal(err)
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	c.listen(ln, transport, refuse)
	return c
}

// selfSigned is the certificate of every collector over TLS, which senders trust.
var selfSigned = sync.OnceValues(func() (tls.Certificate, error) {
	certPEM, keyPEM, err := tlsstate.Ephemeral([]string{"127.0.0.1"}, false)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
})

// dialTLS connects to a collector.
func dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	pair, err := selfSigned()
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	return (&tls.Dialer{Config: &tls.Config{RootCAs: roots}}).DialContext(ctx, network, addr)
}

func (c *collector) listen(ln net.Listener, transport Transport, refuse func(n int) bool) {
	c.closer, c.dest = ln, destination(ln.Addr(), transport)
	c.wait.Add(1)
	go func() {
		defer c.wait.Done()
		for n := 0; ; n++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if refuse != nil && refuse(n) {
				conn.Close()
				continue
			}
			c.mu.Lock()
			if c.ended {
				conn.Close()
			}
			c.conns = append(c.conns, conn)
			c.mu.Unlock()
			c.wait.Add(1)
			go c.stream(conn)
		}
	}()
}

func destination(a net.Addr, transport Transport) Destination {
	d, err := ParseID(fmt.Sprintf("[test]%s;transport=%s", a, transport))
	if err != nil {
		panic(err)
	}
	return d
}

func (c *collector) datagrams(u net.PacketConn) {
	defer c.wait.Done()
	for buf := make([]byte, 1<<16); ; {
		n, _, err := u.ReadFrom(buf)
		if err != nil {
			return
		}
		c.take(buf[:n])
	}
}

func (c *collector) stream(conn net.Conn) {
	defer c.wait.Done()
	var have []byte
	for i := 0; ; i++ {
		buf := make([]byte, cuts[i%len(cuts)])
		n, err := conn.Read(buf)
		have = append(have, buf[:n]...)
		for {
			length, bad := Length(have)
			if bad != nil && bad != ErrShort {
				c.t.Errorf("the stream is lost: %v", bad)
				return
			}
			if bad != nil || length > len(have) {
				break
			}
			c.take(have[:length])
			have = have[length:]
		}
		if err != nil {
			return
		}
	}
}

func (c *collector) take(wire []byte) {
	wire = append([]byte(nil), wire...)
	var p Packet
	if err := p.Decode(wire); err != nil {
		c.t.Errorf("%v in %x", err, wire)
	}
	c.mu.Lock()
	c.packets = append(c.packets, p)
	c.wire = append(c.wire, wire)
	c.mu.Unlock()
}

// got gives the packets so far.
func (c *collector) got() []Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Packet(nil), c.packets...)
}

// wait for that many packets.
func (c *collector) await(n int) []Packet {
	c.t.Helper()
	waittest.For(c.t, fmt.Sprintf("%d packets arrive", n), func() bool { return len(c.got()) >= n })
	return c.got()
}

// hangUp ends the connections that are there.
func (c *collector) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

func (c *collector) close() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.closer.Close()
	c.hangUp()
	c.wait.Wait()
}

// send makes a sender that is closed with the test; quick pauses, and a Drain
// that only a hang reaches.
func send(t testing.TB, d Destination, change func(*SenderConfig)) *Sender {
	t.Helper()
	cfg := SenderConfig{Destination: d, MinPause: time.Millisecond, MaxPause: 20 * time.Millisecond, Drain: patience}
	if d.Transport == TLS {
		cfg.Dial = dialTLS
	}
	if change != nil {
		change(&cfg)
	}
	s, err := NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// note is a parcel whose payload is a text.
type note string

func (n note) size() int { return len(n) }

func (n note) appendTo(dst []byte) []byte {
	p := Packet{Type: PayloadNet, Payload: []byte(n)}
	return p.AppendTo(dst)
}

// object is the payload of an event.
func object(t testing.TB, p Packet) map[string]string {
	t.Helper()
	m := make(map[string]string)
	if err := json.Unmarshal(p.Payload, &m); err != nil {
		t.Fatalf("%v in %q", err, p.Payload)
	}
	return m
}

// outline gives events as "id Event Status", ids by the order in which they
// first appear.
func outline(t testing.TB, packets []Packet) string {
	t.Helper()
	ids := make(map[string]int)
	var b strings.Builder
	for _, p := range packets {
		id := string(p.Correlation)
		if ids[id] == 0 {
			ids[id] = len(ids) + 1
		}
		m := object(t, p)
		fmt.Fprintf(&b, "%d %s %s\n", ids[id], m["Event"], m["Status"])
	}
	return b.String()
}
