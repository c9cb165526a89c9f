package poller

import (
	"errors"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/listener"
	"sipreactor/reactor/internal/standin"
)

// gnet reads one datagram for an event, allocates for each, and keeps to itself what ICMP
// says. So the sockets of datagrams are ours, and gnet only tells a loop when there is
// something: its epoll set watches the socket under the number of a stand-in.

// inlet is a socket of datagrams on a loop.
type inlet struct {
	listener.Inlet
	p    *Poller
	loop *Loop // nil before it has it
	err  error // why the loop would not watch it
}

// Datagrams are what waits at a socket: it is read batch by batch.
type Datagrams = listener.Datagrams

// ready has the loop read what there is.
func (s *inlet) ready() {
	l := s.loop
	l.datagrams.Begin(&s.Inlet, l.handler.Undelivered)
	l.handler.Datagrams(&l.datagrams)
}

// removeExtra ends the socket that gnet has on each loop where there is no listener
// of streams: it runs only with one. gnet closes what is in its place then.
func (p *Poller) removeExtra() error {
	for w, err := range p.ownSets() {
		if err != nil {
			return err
		}
		kind, err := unix.GetsockoptInt(w.FD, unix.SOL_SOCKET, unix.SO_TYPE)
		if err != nil || kind != unix.SOCK_DGRAM { // ours are there under other numbers
			continue
		}
		if err := w.Blank(); err != nil {
			return err
		}
	}
	return nil
}

// watchDatagrams has the loops watch the sockets, in turn.
func (p *Poller) watchDatagrams() error {
	loops := p.Loops()
	for i, in := range p.inlets.All() {
		s := &inlet{Inlet: in, p: p}
		nc, err := standin.Endless()
		if err != nil {
			return err
		}
		if err = loops[i%len(loops)].enrolled(s, nc); s.loop == nil {
			return errors.Join(errNoLoop, err, s.err)
		}
	}
	return p.removeExtra()
}

// watched puts the socket in the place of its stand-in.
func (l *Loop) watched(s *inlet, gc gnet.Conn) gnet.Action {
	if s.err = l.unwatch(gc); s.err == nil {
		s.err = l.watch(s.FD, gc.Fd(), unix.EPOLLIN|unix.EPOLLPRI)
	}
	if s.err != nil {
		return gnet.Close
	}
	s.loop = l
	return gnet.None
}

// unwatched is told that gnet has closed the stand-in: at the end, or because the
// socket had an error and nothing in its queue of errors. That one goes on.
func (s *inlet) unwatched() {
	l := s.loop
	if l == nil {
		return
	}
	_ = unix.EpollCtl(l.set, unix.EPOLL_CTL_DEL, s.FD, nil)
	if s.p.over.Load() {
		return
	}
	_, _ = unix.GetsockoptInt(s.FD, unix.SOL_SOCKET, unix.SO_ERROR) // takes it
	nc, err := standin.Endless()
	if err == nil {
		err = l.enroll(s, nc, func(error) {})
	}
	if err != nil {
		s.p.log.Error("a socket of datagrams is not read any more", "at", s.p.listeners[s.Listener].Addr, "error", err)
	}
}
