package reactor

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/loops"
	"sipreactor/tlsstate"
)

// tlsOver makes a client's TLS connection over one that is there.
func (r *rig) tlsOver(c net.Conn) *tls.Conn {
	r.Helper()
	tc := tls.Client(c, &tls.Config{RootCAs: r.ca, ServerName: "localhost", DynamicRecordSizingDisabled: true})
	if err := tc.Handshake(); err != nil {
		r.Fatal(err)
	}
	return tc
}

// Peers that do not finish their handshake, inbound: each is closed when its
// own time is over, with reason, detail and log line.
func TestHandshakeTimeoutInbound(t *testing.T) {
	peers := map[string]func(c net.Conn){
		"silent":   func(net.Conn) {},
		"half way": func(c net.Conn) { _, _ = c.Write([]byte{0x16, 3, 1, 0, 200, 1, 0, 0, 196}) },
		"trickle": func(c net.Conn) {
			hello := append([]byte{0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3}, make([]byte, 190)...)
			for _, b := range hello {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		},
	}
	for name, misbehave := range peers {
		t.Run(name, func(t *testing.T) {
			r := start(t, &script{}, func(c *Config) { c.TLS.HandshakeTimeout = 150 * time.Millisecond })
			c := r.raw(TLS)
			go misbehave(c)
			r.eventually("it is closed", func() bool { return len(r.seen.of(ConnClosed)) == 1 })
			e := r.seen.of(ConnClosed)[0]
			if e.Err.Reason != HandshakeTimeout || e.Was != PhaseHandshaking || !strings.Contains(e.Err.Detail, "tls_handshake_timeout") {
				t.Errorf("closed with %v", e.Err)
			}
			if e.Age < 150*time.Millisecond {
				t.Errorf("closed after %v, before its time", e.Age)
			}
			r.eventually("the log tells", func() bool { return strings.Contains(r.log.String(), "handshake timeout") })
		})
	}
}

type domains = tlsstate.Domains // whose method Domains would hide an embedded field of that name

// busyDomains makes machines of which the first takes its time over a step.
type busyDomains struct {
	domains
	first sync.Once
	takes time.Duration
}

func (d *busyDomains) NewServer(local, remote netip.AddrPort) (tlsstate.Machine, error) {
	m, err := d.domains.NewServer(local, remote)
	if err == nil {
		d.first.Do(func() { m = &busyMachine{Machine: m, takes: d.takes} })
	}
	return m, err
}

type busyMachine struct {
	tlsstate.Machine
	once  sync.Once
	takes time.Duration
}

func (m *busyMachine) Handshake() error {
	m.once.Do(func() { time.Sleep(m.takes) })
	return m.Machine.Handshake()
}

// A storm of handshakes of our own making does not kill its own: the clock runs
// only while we wait for the peer, not while a handshake is computed or waits
// for a core.
func TestHandshakeStormSurvives(t *testing.T) {
	const timeout = 3 * time.Second // more than these few clients take themselves, on a busy machine too
	r := start(t, &script{message: echo}, func(c *Config) {
		c.TLS.HandshakeTimeout = timeout
		c.Handshakers = 1
		c.Domains = &busyDomains{domains: c.Domains, takes: timeout * 3 / 2}
	})
	const n = 8
	failed := make(chan error, n)
	for range n {
		go func() {
			c, err := net.Dial("tcp", r.addr(TLS).String())
			if err != nil {
				failed <- err
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(patience))
			tc := tls.Client(c, &tls.Config{RootCAs: r.ca, ServerName: "localhost", DynamicRecordSizingDisabled: true})
			if err = tc.Handshake(); err == nil {
				_, _ = tc.Write([]byte(request("OPTIONS", "x", 1, "")))
				_, err = readMessage(bufio.NewReader(tc))
			}
			failed <- err
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			t.Errorf("a handshake failed: %v", err)
		}
	}
	if s := r.Stats(); s.HandshakesFailed != 0 {
		t.Errorf("%d handshakes failed", s.HandshakesFailed)
	}
}

// A connection that carries nothing lives out its lifetime, and one that pings
// lives on.
func TestIdleLifetime(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		t.Parallel()
		const lifetime = 4 * time.Second // more than a busy machine leaves between two pings
		r := start(t, &script{message: echo}, func(c *Config) { c.Lifetime = lifetime })
		begun := time.Now()
		busy := r.dial(p)
		up := time.Now()
		idle := r.dial(p)
		in := bufio.NewReader(busy)
		r.eventually("the idle one ends, and the busy one is older than that", func() bool {
			_, _ = busy.Write([]byte("\r\n\r\n"))
			if _, err := in.Discard(2); err != nil {
				t.Fatalf("the busy one: %v", err)
			}
			time.Sleep(100 * time.Millisecond)
			return len(r.seen.closes()) > 0 && time.Since(up) > lifetime+2*time.Second
		})
		closes := r.seen.of(ConnClosed)
		if len(closes) != 1 || closes[0].Err.Reason != IdleTimeout || closes[0].Err.Blame != BlameNone || closes[0].Was != PhaseEstablished {
			t.Fatalf("closed: %+v", closes)
		}
		if age := closes[0].Age; age < time.Second || age > time.Since(begun) {
			t.Errorf("closed at the age of %v", age)
		}
		if _, err := idle.Read(make([]byte, 1)); err == nil || err.Error() != "EOF" {
			t.Errorf("the idle one reads %v, want an orderly end", err)
		}
	})
}

// Without async a send waits and tells the final result.
func TestSynchronous(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		waits := func(c *Config) {
			c.TLS.Async, c.TCP.Async = false, false
			c.ConnectTimeout = patience
		}
		from, to, inbox := two(t, waits)
		for i := range 3 { // a new connection, then the same one
			if o, err := from.Send(from.target(p, to), Bytes(request("MESSAGE", "x", i, ""))); o != Sent || err != nil {
				t.Fatalf("message %d: %v, %v", i, o, err)
			}
		}
		from.eventually("all arrive", func() bool { return len(inbox.got()) == 3 })
		hasty := start(t, &script{}, func(c *Config) {
			waits(c)
			c.ConnectTimeout = 100 * time.Millisecond
			c.TLS.HandshakeTimeout = 100 * time.Millisecond
		})
		_, err := hasty.Send(&Target{Proto: p, Addr: blackHole(t), Name: "localhost"}, Bytes("x"))
		if e, ok := err.(*Error); !ok || e.Reason != ConnectTimeout {
			t.Errorf("black hole: %v", err)
		}
		if p == TLS {
			_, err = hasty.Send(&Target{Proto: p, Addr: silent(t), Name: "localhost"}, Bytes("x"))
			if e, ok := err.(*Error); !ok || e.Reason != HandshakeTimeout {
				t.Errorf("silent: %v", err)
			}
		}
		for _, r := range []*rig{from, hasty} {
			if s := r.Stats(); s.Undelivered != 0 || s.Parked != 0 {
				t.Errorf("undelivered %d, parked %d: the sender was told already", s.Undelivered, s.Parked)
			}
		}
	})
}

// A connection that is established has no timer left that would wake its loop, and gets one again for what takes time.
func TestNoTimerBehindTheHandshake(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	p := r.dial(TLS)
	c := r.conns.Table.Get(r.only())
	timed := func() (is bool) {
		r.onLoop(c.Loop.(*loops.Loop), func() { is = c.Own.Waits.Armed() })
		return is
	}
	m := request("MESSAGE", "x", 1, "")
	in := bufio.NewReader(p)
	_, _ = p.Write([]byte(m))
	if got, err := readMessage(in); got != m {
		t.Fatalf("got %q, %v", got, err)
	}
	if timed() {
		t.Error("the handshake's timer runs on")
	}
	_, _ = p.Write([]byte(m[:10]))
	r.eventually("a part of a message has a deadline", timed)
	_, _ = p.Write([]byte(m[10:]))
	if got, err := readMessage(in); got != m {
		t.Errorf("got %q, %v", got, err)
	}
}
