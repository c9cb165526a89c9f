package poller

import (
	"context"
	"errors"
	"net/netip"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/listener"
	"sipreactor/reactor/internal/standin"
)

// gnet reads one datagram for an event, allocates for each, and keeps to itself
// what ICMP says. So the sockets of datagrams are ours (listener.Inlets), and gnet only tells a loop
// when there is something: the loop's epoll set watches the socket under the number
// of a stand-in that gnet knows, an eventfd that can be read for ever.

// inlet is a socket of datagrams on a loop.
type inlet struct {
	listener.Inlet
	p     *Poller
	loop  *Loop // nil before it has it
	stand int   // the stand-in's number on the loop
	err   error // why the loop would not watch it
}

// Datagrams are what waits at a socket: it is read batch by batch.
type Datagrams struct {
	// Listener is the listener that they came to.
	Listener int

	s     *inlet
	batch *kernel.Batch
	left  int
}

// mostBatches is how many batches are read before other sockets have their turn.
const mostBatches = 4

// Next reads the next batch, and reports whether there is one.
func (d *Datagrams) Next() bool {
	first := d.left == mostBatches
	if d.left == 0 || !first && d.batch.Len() < kernel.BatchSize {
		return false
	}
	d.left--
	if d.batch.Receive(d.s.FD) == nil {
		return true
	}
	if first { // the kernel has something else to tell
		d.s.errors()
	}
	return false
}

// Len returns how many datagrams the batch has.
func (d *Datagrams) Len() int { return d.batch.Len() }

// At returns the i-th, valid until Next, and who sent it.
func (d *Datagrams) At(i int) (from netip.AddrPort, data []byte) { return d.batch.At(i) }

// ready has the loop read what there is.
func (s *inlet) ready() {
	l := s.loop
	if l.datagrams.batch == nil {
		l.datagrams.batch = kernel.NewBatch()
	}
	l.datagrams.Listener, l.datagrams.s, l.datagrams.left = s.Listener, s, mostBatches
	l.handler.Datagrams(&l.datagrams)
}

// mostErrors is how many errors are read before other sockets have their turn.
const mostErrors = 64

// errors hands on what became of datagrams that were sent.
func (s *inlet) errors() {
	l := s.loop
	if l.quote == nil {
		l.quote = make([]byte, kernel.MaxDatagram)
	}
	for range mostErrors {
		to, why, quote := kernel.ReadError(s.FD, l.quote)
		if why == 0 {
			return
		}
		if to.IsValid() {
			l.handler.Undelivered(s.Listener, to, why, quote)
		}
	}
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
		null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("open", err)
		}
		_ = unix.EpollCtl(w.Set, unix.EPOLL_CTL_DEL, w.FD, nil)
		err = unix.Dup3(null, w.FD, unix.O_CLOEXEC)
		unix.Close(null)
		if err != nil {
			return os.NewSyscallError("dup3", err)
		}
	}
	return nil
}

// watchDatagrams has the loops watch the sockets, in turn.
func (p *Poller) watchDatagrams() error {
	loops := p.Loops()
	for i, in := range p.inlets.All() {
		s := &inlet{Inlet: in, p: p}
		opened, err := s.enroll(loops[i%len(loops)])
		if err != nil {
			return err
		}
		if res := <-opened; s.loop == nil {
			return errors.Join(errNoLoop, res.Err, s.err)
		}
	}
	return p.removeExtra()
}

// enroll gives the loop the socket's stand-in.
func (s *inlet) enroll(l *Loop) (<-chan gnet.RegisteredResult, error) {
	nc, err := standin.Endless()
	if err != nil {
		return nil, err
	}
	opened, err := l.el.Enroll(gnet.NewContext(context.Background(), s), nc)
	if err != nil {
		nc.Close()
	}
	return opened, err
}

// watched puts the socket in the place of its stand-in.
func (l *Loop) watched(s *inlet, gc gnet.Conn) gnet.Action {
	s.stand = gc.Fd()
	if l.failed != nil {
		s.err = l.failed
		return gnet.Close
	}
	if s.err = unix.EpollCtl(l.set, unix.EPOLL_CTL_DEL, s.stand, nil); s.err != nil {
		return gnet.Close
	}
	s.err = unix.EpollCtl(l.set, unix.EPOLL_CTL_ADD, s.FD, &unix.EpollEvent{Fd: int32(s.stand), Events: unix.EPOLLIN | unix.EPOLLPRI})
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
	l.tasks.Add(1)
	opened, err := s.enroll(l)
	if err != nil {
		l.tasks.Add(-1)
		s.p.log.Error("a socket of datagrams is not read any more", "at", s.p.listeners[s.Listener].Addr, "error", err)
		return
	}
	go func() {
		<-opened
		l.tasks.Add(-1)
	}()
}
