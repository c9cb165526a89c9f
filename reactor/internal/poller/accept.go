package poller

import (
	"fmt"
	"os"
	"strings"

	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// gnet accepts, and ends when accept says anything but a few errors: its loops
// return as soon as a callback's error is gneterrors.ErrAcceptSocket. An error
// that cannot be compared is equal to none, so with one of those in that place
// they go on. What accept has said reaches us by gnet's log line.

// notFatal cannot be compared: errors.Is finds it nowhere.
type notFatal []string

func (e notFatal) Error() string { return strings.Join(e, "") }

func init() { gneterrors.ErrAcceptSocket = notFatal{"accept failed"} }

// openListeners gives the group the listeners as gnet's epoll sets have them; called
// when gnet is wholly up, once. Each loop has its own of each.
func (p *Poller) openListeners() error {
	var watched []kernel.Watched
	var shared []int
	for w, err := range p.ownSets() {
		if err != nil {
			return err
		}
		switch l := p.listensAt(w.FD); {
		case l == nil:
			continue
		case l.Inherited != nil:
			shared = append(shared, w.FD)
		}
		watched = append(watched, w)
	}
	want := 0
	for i := range p.listeners {
		switch l := &p.listeners[i]; {
		case l.Datagrams:
		case l.Inherited != nil:
			want++
		default:
			want += p.cfg.Loops
		}
	}
	if len(watched) != want {
		return fmt.Errorf("%d of %d listeners are found in gnet's epoll sets", len(watched), want)
	}
	for _, w := range watched {
		if err := p.configure(w.FD); err != nil {
			return err
		}
	}
	p.accepting.Open(watched, shared...)
	return nil
}

// configure sets what gnet has no option for; accepted sockets inherit it.
func (p *Poller) configure(listener int) error {
	if p.cfg.Backlog > 0 {
		if err := unix.Listen(listener, p.cfg.Backlog); err != nil {
			return os.NewSyscallError("listen", err)
		}
	}
	p.cfg.Keepalive.Set(listener)
	return nil
}

// listensAt returns the listener that a descriptor is of; nil when it is of none.
func (p *Poller) listensAt(fd int) *listening {
	addr, listens := kernel.ListensAt(fd)
	if !listens {
		return nil
	}
	for i := range p.listeners {
		if l := &p.listeners[i]; !l.Datagrams && kernel.Unmap(l.Addr) == addr {
			return l
		}
	}
	return nil
}
