package poller

import (
	"github.com/panjf2000/gnet/v2"
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
