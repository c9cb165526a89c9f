package reactor

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestSourceOf(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
	} {
		if got := SourceOf(netip.MustParseAddr(from)); got.String() != want {
			t.Errorf("%s: %v, want %s", from, got, want)
		}
	}
	if SourceOf(netip.Addr{}).IsValid() {
		t.Error("no address is a source")
	}
}

// from connects from an address of loopback's own.
func (r *rig) from(host string, p Proto) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	c, err := d.Dial("tcp", r.addr(p).String())
	if err == nil {
		r.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(patience))
	}
	return c, err
}

// Each bound of a source holds, for that source alone, is counted by its cause
// and told; Allow has none.
func TestSourceLimits(t *testing.T) {
	for _, tc := range []struct {
		name   string
		proto  Proto
		limits SourceLimits
		cause  Refusal
	}{
		{"connections", TCP, SourceLimits{Connections: 3}, RefusedSource},
		{"handshakes under way", TLS, SourceLimits{Handshakes: 3}, RefusedSourceHandshakes},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.limits.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}
			r := start(t, &script{message: echo}, func(c *Config) { c.Sources = tc.limits })
			var last net.Conn
			for i := range 3 {
				c, err := r.from("127.0.0.2", tc.proto)
				if err != nil {
					t.Fatal(err)
				}
				last = c
				r.eventually("it is accepted", func() bool { return r.Stats().Accepted == uint64(i+1) })
			}
			c, err := r.from("127.0.0.2", tc.proto)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
				t.Errorf("one more: %v", err)
			}
			r.eventually("it is counted", func() bool { return r.Stats().RefusedFor[tc.cause] == 1 })
			r.eventually("it is told", func() bool { return len(r.seen.of(ConnRefused)) == 1 })
			for i := range 5 {
				for _, host := range []string{"127.0.0.9", fmt.Sprint("127.0.1.", i+1)} {
					if _, err := r.from(host, tc.proto); err != nil {
						t.Fatal(err)
					}
				}
			}
			r.eventually("others are accepted", func() bool { return r.Stats().Accepted == 13 })
			last.Close()
			r.eventually("there is room again", func() bool {
				before := r.Stats().Accepted
				c, err := r.from("127.0.0.2", tc.proto)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				time.Sleep(10 * time.Millisecond)
				return r.Stats().Accepted > before
			})
		})
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// A handshake that has ended makes room, its connection need not.
func TestSourceHandshakesEnd(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) { c.Sources = SourceLimits{Handshakes: 1} })
	for range 5 {
		r.dial(TLS)
		r.eventually("nothing is under way", func() bool {
			r.sources.mu.Lock()
			defer r.sources.mu.Unlock()
			for _, s := range r.sources.all {
				if s.handshakes != 0 {
					return false
				}
			}
			return true
		})
	}
}

// The rate is that of a second, on a clock of the test's.
func TestSourceRate(t *testing.T) {
	e := &Engine{}
	e.cfg.Sources = SourceLimits{HandshakeRate: 2}
	enter := func(host string, now int64) Refusal {
		c := &conn{eng: e}
		c.src = Source{Proto: TLS, Remote: netip.AddrPortFrom(netip.MustParseAddr(host), 1)}
		got := e.sources.enter(c, now)
		c.quit()
		return got
	}
	for i, want := range []Refusal{admitted, admitted, RefusedSourceRate, RefusedSourceRate} {
		if got := enter(fmt.Sprintf("2001:db8::%d", i), 7); got != want {
			t.Errorf("number %d: %v", i, got)
		}
	}
	if got := enter("2001:db8:0:1::", 7); got != admitted {
		t.Errorf("another /64: %v", got)
	}
	if got := enter("2001:db8::1", 8); got != admitted {
		t.Errorf("a second later: %v", got)
	}
	for i := range 10000 { // a table of sources that came once does not grow
		enter(fmt.Sprintf("10.0.%d.%d", i/250, i%250), int64(10+i))
	}
	if n := len(e.sources.all); n > 10 {
		t.Errorf("%d sources are kept", n)
	}
}

// One message too many that is not complete ends its connection; a message that
// is completed makes room.
func TestSourceUnfinished(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) { c.Sources = SourceLimits{Unfinished: 2} })
	m := request("MESSAGE", "half", 1, "")
	var conns []net.Conn
	for range 2 {
		c := r.dial(TCP)
		_, _ = c.Write([]byte(m[:50]))
		conns = append(conns, c)
	}
	r.eventually("two are there", func() bool {
		r.sources.mu.Lock()
		defer r.sources.mu.Unlock()
		for _, s := range r.sources.all {
			return s.unfinished.Load() == 2
		}
		return false
	})
	third := r.dial(TCP)
	_, _ = third.Write([]byte(m[:50]))
	if _, err := io.ReadAll(third); isTimeout(err) {
		t.Fatal(err)
	}
	if why := r.firstClose(); why != ConnectionLimit {
		t.Errorf("closed: %v", why)
	}
	_, _ = conns[0].Write([]byte(m[50:]))
	if got, err := readMessage(bufio.NewReader(conns[0])); err != nil || got != m {
		t.Errorf("%q, %v", got, err)
	}
	fourth := r.dial(TCP)
	_, _ = fourth.Write([]byte(m[:50]))
	time.Sleep(10 * time.Millisecond)
	_, _ = fourth.Write([]byte(m[50:]))
	if got, err := readMessage(bufio.NewReader(fourth)); err != nil || got != m {
		t.Errorf("%q, %v", got, err)
	}
}

// While more handshakes come than can be computed, no new one is taken; plain
// connections and those that are up are none the worse.
func TestHandshakesAreRefusedInOverload(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	up := r.dial(TLS)
	if err := sequence(up, 3); err != nil { // behind that nothing is left of its handshake
		t.Fatal(err)
	}
	expectSequence(t, bufio.NewReader(up), 3)
	r.handshakers.age.Store(2 * handshakeLate)
	c, err := r.from("127.0.0.1", TLS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("one more: %v", err)
	}
	if n := r.Stats().RefusedFor[RefusedOverload]; n != 1 {
		t.Errorf("%d refused", n)
	}
	for _, c := range []net.Conn{up, r.dial(TCP)} {
		if err := sequence(c, 3); err != nil {
			t.Fatal(err)
		}
		expectSequence(t, bufio.NewReader(c), 3)
	}
}
