package reactor

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A port that is taken is an error of Start, and nothing stays open: by another
// engine, whose listeners may share their ports, too.
func TestStartFails(t *testing.T) {
	free := netip.MustParseAddrPort("127.0.0.1:0")
	for _, loops := range []int{1, 2} {
		r := start(t, &script{}, func(c *Config) {
			c.Loops = loops
			c.Sockets = []SocketConfig{{Proto: TCP, Addr: free}, {Proto: UDP, Addr: free}}
		})
		for _, p := range []Proto{TCP, UDP} {
			for _, again := range []int{1, 2} {
				cfg := r.Engine.cfg
				cfg.Loops = again
				cfg.Sockets = []SocketConfig{{Proto: p, Addr: r.addr(p)}}
				before := sockets()
				e, err := New(cfg, &script{})
				if err != nil {
					t.Fatal(err)
				}
				if err := e.Start(); !errors.Is(err, unix.EADDRINUSE) && (err == nil || !strings.Contains(err.Error(), "in use")) {
					t.Fatalf("%v was given twice, %d loops beside %d: %v", p, again, loops, err)
				}
				r.eventually("no more sockets are open than before", func() bool { return sockets() <= before })
			}
		}
	}
}

// Two listeners at one address are refused; at one port of several addresses,
// or of TCP and UDP, they are not.
func TestListenersAtOnePort(t *testing.T) {
	taken := refusing(t)
	other := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), taken.Port())
	for _, c := range []struct {
		sockets []SocketConfig
		refused bool
	}{
		{[]SocketConfig{{Proto: TCP, Addr: taken}, {Proto: TCP, Addr: taken}}, true},
		{[]SocketConfig{{Proto: UDP, Addr: taken}, {Proto: UDP, Addr: taken}}, true},
		{[]SocketConfig{{Proto: TCP, Addr: taken}, {Proto: UDP, Addr: taken}, {Proto: TCP, Addr: other}}, false},
	} {
		cfg := DefaultConfig()
		cfg.Loops, cfg.Sockets = 1, c.sockets
		err := cfg.alone() // another program may have taken the port meanwhile: that is none of ours
		if refused := err != nil && strings.Contains(err.Error(), "listens there"); refused != c.refused {
			t.Errorf("%v: %v", c.sockets, err)
		}
	}
}
