package loops

import (
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
)

// accept takes a peer's connection into the table.
func (l *Loop) accept(n *poller.Incoming) {
	a := l.common
	socket := a.listener(n.Local)
	if !n.Local.IsValid() || socket == nil {
		l.Stat.Refused[reason.RefusedVanished].Add(1)
		return
	}
	c := &connection.Conn{Common: a.Conns, Loop: l, Born: time.Now()}
	c.Own.Sock.Owner = c
	c.Own.Sock.Hold(-1)
	c.Src = message.Source{Proto: socket.Proto, Remote: n.Remote, Local: n.Local, Socket: socket}
	if cause := l.admit(c); cause != reason.Admitted {
		l.Stat.Refused[cause].Add(1)
		c.Own.Share.Leave()
		why := reason.Refused(cause)
		a.Conns.Tell(c, &event.Event{Kind: event.ConnRefused, Err: why})
		a.Conns.Log.Refused(a.Conns.Now(), c.Called(), why)
		return
	}
	n.Attach(&c.Own.Sock)
	defer l.Guard(c)
	kernel.BoundSend(n.Fd)
	c.Alive(l.Seconds.Load())
	a.Conns.Peers.Add(c)
	l.Stat.Accepted.Add(1)
	l.Idle.Put(c, l.Seconds.Load()+a.Conns.Limits.Lifetime)
	a.Conns.Observe(c, event.ConnAccepted, nil, "")
	if !c.Src.Proto.Secure() {
		l.Begin(c, &codec.Plain{})
		return
	}
	m, err := a.Dialer.TLS().NewServer(c.Src.Local, c.Src.Remote)
	if err != nil {
		l.Close(c, reason.OfHandshake(err))
		return
	}
	l.Begin(c, m)
}

// admit returns an accepted connection its place, or says why it has none.
func (l *Loop) admit(c *connection.Conn) reason.Refusal {
	a := l.common
	if a.Dialer.Stopping.Load() { // a draining engine takes in who had connected before, and tells them
		return reason.RefusedShutdown
	}
	if a.Conns.Full() {
		return reason.RefusedDescriptors
	}
	if transport.Shakes(c.Src.Proto) && (a.Dispatcher.Late() || a.Handshakers.Late()) {
		return reason.RefusedOverload
	}
	if cause := a.enterSource(c); cause != reason.Admitted {
		return cause
	}
	c.Config = a.Dialer.Stream(c.Src.Proto)
	if a.Conns.Inbound.Add(1) > a.MaxConnections {
		a.Conns.Inbound.Add(-1)
		return reason.RefusedLimit
	}
	c.Speaks()
	if c.Begin(phase.Established); transport.Shakes(c.Src.Proto) {
		c.Begin(phase.Handshaking)
	}
	if a.Conns.Table.Add(c) == 0 {
		a.Conns.Inbound.Add(-1)
		return reason.RefusedTable
	}
	return reason.Admitted
}
