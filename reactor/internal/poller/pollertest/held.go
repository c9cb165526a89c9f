// Package pollertest has a loop for tests of what is done on loops.
package pollertest

import (
	"io"
	"log/slog"
	"net/netip"
	"testing"

	"sipreactor/reactor/internal/listener"
	"sipreactor/reactor/internal/poller"
)

// Loop is the one loop of a Poller of its own, which the test holds: its goroutine stands
// still in a callback, so that what belongs to it is the test's.
type Loop struct {
	*poller.Loop
	all        *poller.Poller
	held, free chan struct{}
}

// Hold starts a loop for a handler and holds it until the test ends. What the test does is
// told to the handler at once, what the kernel tells only while a socket is given.
func Hold(t testing.TB, h poller.LoopHandler) *Loop {
	l := &Loop{held: make(chan struct{}), free: make(chan struct{})}
	l.all = poller.New(poller.Config{Loops: 1, Listeners: []listener.Config{{Addr: netip.MustParseAddrPort("127.0.0.1:0")}},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}, program{h, l})
	if err := l.all.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(l.free)
		if err := l.all.Stop(); err != nil {
			t.Error(err)
		}
	})
	l.Loop = l.all.Loops()[0]
	l.Post(l.stand)
	<-l.held
	return l
}

// Give has the loop have a socket with a descriptor.
func (l *Loop) Give(t testing.TB, s *poller.Socket, fd int) {
	t.Helper()
	s.Hold(fd)
	l.free <- struct{}{}
	l.all.Adopt(s, func(err error) {
		t.Error(err)
		l.Post(l.stand)
	})
	<-l.held
}

// stand holds the loop's goroutine.
func (l *Loop) stand() {
	l.held <- struct{}{}
	<-l.free
}

// program is the test's handler on the loop.
type program struct {
	poller.LoopHandler
	l *Loop
}

func (p program) NewLoop(*poller.Loop) poller.LoopHandler { return p }
func (p program) Bound(int, netip.AddrPort)               {}
func (p program) Tick()                                   {}
func (p program) Ending()                                 {}
func (p program) Adopted(*poller.Socket)                  { p.l.Post(p.l.stand) } // the loop has it once this returns
