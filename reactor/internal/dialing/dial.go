package dialing

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/tlsstate"
)

// begin makes a connection to a target, with the message it is made for as the
// first that waits. Nobody else sees it yet. nil: there is no room for it.
func (d *Dialer) begin(t *message.Target, want *connection.Match, domains tlsstate.Domains, m message.Appender, w *sendqueue.Waiter) *connection.Conn {
	c := d.dialled(t, want, domains, w)
	c.First(m, t, w) // before the table has it: an Appender may panic
	return d.enter(c)
}

// dialled makes a connection that is still to be opened, and that nobody sees.
func (d *Dialer) dialled(t *message.Target, want *connection.Match, domains tlsstate.Domains, w *sendqueue.Waiter) *connection.Conn {
	c := &connection.Conn{Common: d.All, Config: d.Stream(t.Proto), Born: time.Now(), Target: *t,
		Own: connection.Owned{Dial: &connection.Dialing{Sender: w, Domains: domains}}}
	c.Own.Sock.Owner = c
	c.Own.Sock.Hold(-1)
	c.Means(want.Self, want.Name)
	c.Target.Set, c.Target.Carrier, c.Target.Note = nil, nil, nil // the message's, not the connection's
	c.Src = message.Source{Proto: t.Proto, Remote: t.Addr, Socket: t.Socket, Outbound: true}
	c.Speaks()
	return c
}

// enter puts a connection of ours into the table. nil: there is no room for it.
func (d *Dialer) enter(c *connection.Conn) *connection.Conn {
	if d.All.Full() || d.All.Table.Add(c) == 0 {
		return nil
	}
	return c
}

// connect starts the TCP connect of a new connection and leaves it with the
// connect queue, or with a loop if it is done at once.
func (d *Dialer) connect(c *connection.Conn) {
	d.All.Stat.Dials.Add(1)
	d.All.Observe(c, event.ConnectStarted, nil, "")
	fd, err := kernel.OpenStream(c.Src.Remote.Addr(), c.BindAddr(), &d.Keepalive)
	if err == nil {
		c.Own.Sock.Hold(fd)
		err = unix.Connect(fd, kernel.Sockaddr(c.Src.Remote))
		c.Bound()
	}
	switch err {
	case nil:
		d.All.Enroll(c)
		return
	case unix.EINPROGRESS:
		if err = d.All.Connects.Park(c, c.ConnectLimit()); err == nil {
			return
		}
	}
	if c.Own.Sock.Fd() >= 0 {
		unix.Close(c.Own.Sock.Fd())
	}
	c.NoteClose(refusedHere(c, err))
	c.CleanUp()
}

// refusedHere is the reason of a connect that failed at once. What only this machine
// can have said (no route, a filter, an address that the chosen one does not reach) is
// for whoever chose the ends.
func refusedHere(c *connection.Conn, cause error) *reason.Error {
	e := connection.DialFailed(cause)
	if kernel.OwnChoice(cause) {
		e.Blame = reason.BlameConfig
		e.Detail = "this machine does not connect to " + c.Src.Remote.String()
		if from := c.BindAddr(); from.IsValid() {
			e.Detail += " from " + from.String()
		}
		e.Detail += ": " + cause.Error()
	}
	return e
}

// noPlace returns an error for what is no address of a peer: to none of these can be
// connected, but the kernel takes some for this machine.
func noPlace(to netip.AddrPort, stream bool) *reason.Error {
	a := to.Addr()
	if to.Port() != 0 && !a.IsUnspecified() && !(stream && (a.IsMulticast() || a == broadcast)) {
		return nil
	}
	return &reason.Error{Reason: reason.ConnectFailed, Blame: reason.BlameConfig, Detail: to.String() + " is no address of a peer"}
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})
