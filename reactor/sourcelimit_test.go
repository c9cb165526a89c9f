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
		_, _, _, n := r.loops.Sources.Totals()
		return n == 2
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
	r := start(t, &script{message: echo}, func(c *Config) { c.Handshakers = 1 })
	up := r.dial(TLS)
	if err := sequence(up, 3); err != nil { // behind that nothing is left of its handshake
		t.Fatal(err)
	}
	expectSequence(t, bufio.NewReader(up), 3)
	first := r.holdHandshakers(1)
	then := r.holdHandshakers(2) // of which one waits
	defer then()
	began := r.now()
	r.eventually("steps wait for more than a second", func() bool { return r.now()-began > int64(1100*time.Millisecond) })
	first()
	r.eventually("that is noticed", r.handshakers.Late)
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
