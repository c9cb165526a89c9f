package reactor

import (
	"net"
	"strings"
	"testing"
	"time"
)

// An engine that would run out of descriptors refuses connections and lives: a
// storm of more than it may have leaves those that are up served.
func TestOutOfDescriptors(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) {
		c.MaxConnections, c.Backlog = 100000, 64
		c.maxOpen = 200
	})
	c := r.dial(TLS)
	ask := func() {
		t.Helper()
		_ = c.SetDeadline(time.Now().Add(patience))
		m := request("OPTIONS", "x", 1, "")
		_, _ = c.Write([]byte(m))
		got := make([]byte, len(m))
		for n := 0; n < len(got); {
			k, err := c.Read(got[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += k
		}
	}
	ask()
	var storm []net.Conn
	for range 600 {
		// What the backlog has no room for is tried again by the kernel.
		if s, err := net.DialTimeout("tcp", r.addr(TCP).String(), patience); err == nil {
			storm = append(storm, s)
		}
	}
	r.eventually("the rest is refused", func() bool { return r.Stats().Refused >= 300 })
	ask()
	if n := r.conns.Table.Len(); n > 200 {
		t.Errorf("%d connections", n)
	}
	if e := r.seen.of(ConnRefused)[0].Err; e.Reason != ConnectionLimit {
		t.Errorf("refused with %v", e)
	}
	if _, err := r.Send(&Target{Proto: TCP, Addr: refusing(t)}, Bytes("x")); err == nil || err.(*Error).Reason != ConnectionLimit {
		t.Errorf("a connection of ours: %v", err)
	}
	for _, s := range storm {
		s.Close()
	}
	r.eventually("there is room again", func() bool { return r.conns.Table.Len() == 1 })
	r.raw(TCP)
	ask()
	select {
	case <-r.Done():
		t.Error("the engine has ended")
	default:
	}
}

// A peer that never stops sending does not keep a draining engine up.
func TestStopUnderLoad(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	c := r.dial(TCP)
	go func() {
		m := []byte(strings.Repeat(request("MESSAGE", "x", 1, ""), 50))
		for {
			if _, err := c.Write(m); err != nil {
				return
			}
		}
	}()
	go func() {
		buf := make([]byte, 1<<16)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}()
	r.eventually("it is busy", func() bool { return r.Stats().MessagesIn > 1000 })
	// The end of the test stops the engine, with less patience than for ever.
}
