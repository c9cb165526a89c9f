package poller

import (
	"fmt"
	"os"
	"strings"

	"github.com/panjf2000/gnet/v2"
	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/listener"
)

// listening is a socket to listen on and what became of it.
type listening struct {
	listener.Config
	index int
	asked string // the address that gnet was told
}

// gnet has a loop accept by itself only if its listeners share their ports
// (SO_REUSEPORT); else a reactor of its own accepts and hands each connection on,
// which costs two wake-ups. So they always share, and each loop opens a socket of
// its own: the port must be known before.

// choosePorts lets the kernel choose the ports that are 0.
func (p *Poller) choosePorts() error {
	for i := range p.listeners {
		if err := p.held.Choose(&p.listeners[i].Config); err != nil {
			return err
		}
	}
	return nil
}

// addresses returns the listeners as gnet is told them: those of streams.
func (p *Poller) addresses() []string {
	var list []string
	for i := range p.listeners {
		l := &p.listeners[i]
		if l.Datagrams {
			continue
		}
		family, at := "4", l.Addr.String()
		if l.Inherited != nil {
			at = listener.StandIn(l.index).String() + ":0"
		} else if l.Addr.Addr().Is6() {
			family = "6"
		}
		l.asked = at
		list = append(list, "tcp"+family+"://"+at)
	}
	if len(list) == 0 {
		list = append(list, "udp4://127.0.0.1:0") // removeExtra closes it
	}
	return list
}

// inspect learns a listener's address and sets what gnet has no option for.
func (p *Poller) inspect(l *listening) error {
	if l.Inherited != nil {
		if err := l.takeOver(p.gnet); err != nil {
			return err
		}
	}
	fd, err := p.gnet.DupListener("tcp", l.asked)
	if err != nil {
		return err
	}
	if err = l.TakePort(fd); err == nil {
		err = p.configure(fd)
	}
	unix.Close(fd)
	return err
}

// takeOver puts the inherited socket in the place of the one that gnet opened.
func (l *listening) takeOver(g gnet.Engine) error {
	own, err := g.DupListener("tcp", l.asked)
	if err != nil {
		return err
	}
	defer unix.Close(own)
	place, err := kernel.Twin(own)
	if err != nil {
		return err
	}
	return l.Replace(place)
}

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
