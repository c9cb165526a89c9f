package poller

import (
	"github.com/panjf2000/gnet/v2"
	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// ErrStopped is why a Poller that ends adopts nothing.
var ErrStopped = errorx.ErrEngineInShutdown

// Adopt gives a connected socket to the loop that has the fewest: it then is
// LoopHandler.Adopted. fd, which Socket.Hold was given, belongs to the Poller from
// here on, whatever becomes of it. failed is called, once and on any goroutine,
// when no loop would take the socket. Any goroutine, not on a loop that has to be
// quick: it makes system calls, and a goroutine.
func (p *Poller) Adopt(s *Socket, failed func(error)) {
	p.handing.Add(1) // until failed was called
	defer p.handing.Add(-1)
	nc, err := kernel.Connected(s.fd)
	if err == nil {
		err = p.lightest().enroll(s, nc, func(err error) {
			if s.loop == nil {
				failed(err)
			}
		})
	}
	if err != nil {
		failed(err)
	}
}

// moved marks a connection that another loop has accepted. It is among its loop's
// sockets from the moment it is given away: others are accepted meanwhile.
type moved struct{ opened bool }

// lightest returns the loop that has the fewest connections.
func (p *Poller) lightest() (least *Loop) {
	for _, l := range p.Loops() {
		if least == nil || l.sockets.Load() < least.sockets.Load() {
			least = l
		}
	}
	return least
}

// lighter returns the loop that a connection which a loop has accepted belongs
// to; nil when that is this one. The kernel chooses the loop by a hash of the
// addresses. With many connections that is even enough, and with a carrier's few
// trunks all of them may fall to one.
func (p *Poller) lighter(l *Loop) *Loop {
	least := p.lightest()
	has, fewest := l.sockets.Load(), least.sockets.Load()
	if has-fewest <= has/uneven {
		return nil
	}
	return least
}

// uneven is the part of a loop's connections by which it may have more than the
// one that has the fewest. To move one costs some tens of microseconds.
const uneven = 8

// move gives a connection that is being accepted to another loop, and reports
// whether it did. gnet then closes the descriptor that this loop has of it.
func (l *Loop) move(gc gnet.Conn, to *Loop) bool {
	fd, err := unix.FcntlInt(uintptr(gc.Fd()), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return false
	}
	nc, err := kernel.Connected(fd)
	if err != nil {
		return false
	}
	to.sockets.Add(1)
	m := new(moved)
	if to.enroll(m, nc, func(error) {
		if !m.opened {
			to.sockets.Add(-1)
		}
	}) != nil {
		to.sockets.Add(-1)
		return false
	}
	l.p.Moved.Add(1)
	return true
}
