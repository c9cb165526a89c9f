package dialing

import (
	"net/netip"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// told returns the error that a waiting sender was told.
func told(err error) *reason.Error {
	e, _ := err.(*reason.Error) //nolint:errorlint // it is handed on as it is
	return e
}

// Send hands a message to the connection that t names, or to one to its address, which is
// opened if needed. nil: the sender has it off its hands. What is to go by UDP it leaves to
// the caller (ByDatagram). It may wait, as w allows.
func (d *Dialer) Send(t *message.Target, m message.Appender, w Sender) (message.Outcome, *reason.Error) {
	if c := d.All.Table.Get(t.Conn); c != nil {
		if o, err := d.hand(c, t, m, w); err == nil || err.Reason != reason.NoConnection {
			carries(c, t, err)
			return o, err
		}
	}
	addr := netip.AddrPortFrom(t.Addr.Addr().Unmap(), t.Addr.Port())
	switch {
	case !d.Up.Load():
		return 0, reason.Because(reason.NoConnection, "the engine does not run")
	case !t.Addr.IsValid():
		return 0, reason.Because(reason.NoConnection, "it is gone")
	}
	if e := noPlace(addr, t.Proto != transport.UDP); e != nil {
		return 0, e
	}
	switch {
	case t.Proto == transport.UDP:
		return ByDatagram, nil
	case !t.Proto.Stream():
		return 0, &reason.Error{Reason: reason.NoConnection, Blame: reason.BlameConfig, Detail: "no transport named"}
	}
	key := endpoint.Of(t.Proto, addr)
	want, domains, failed := d.matchFor(t)
	if failed != nil && !t.Proto.Web() {
		// None can be opened; a user that is known by its connection is reached by that all the same.
		if c, _ := d.All.Peers.Find(key, &want, nil); c != nil && !c.Src.Outbound {
			o, err := d.hand(c, t, m, w)
			carries(c, t, err)
			return o, err
		}
		return 0, failed
	}
	if failed != nil { // browsers are reached by what they have opened, and no domain says that they are to be verified
		want.Self.Verify = false
	}
	if t.Proto == transport.WS { // transport=ws says WebSocket, over TLS as well (RFC 7118 5.5)
		if c, _ := d.All.Peers.Find(endpoint.Of(transport.WSS, addr), &connection.Match{}, nil); c != nil {
			if o, err := d.hand(c, t, m, w); err == nil || err.Reason != reason.NoConnection {
				carries(c, t, err)
				return o, err
			}
		}
	}
	for range 4 { // a connection that is found may end before it takes the message
		var wait *sendqueue.Waiter
		var refused *reason.Error
		var begin func() *connection.Conn
		visitor := t.Proto.Web() && d.All.Visitors.Had(addr)
		if !t.NoNew && !d.ForbidNew && !d.Stopping.Load() && !visitor {
			begin = func() *connection.Conn {
				if refused = failed; refused != nil {
					return nil
				}
				if refused = d.LeftAlone(t, addr, want.Self.Domain, want.Name); refused != nil {
					return nil
				}
				wait = sendqueue.NewWaiter()
				to := *t
				to.Addr = addr
				return d.begin(&to, &want, domains, m, wait)
			}
		}
		c, made := d.All.Peers.Find(key, &want, begin)
		switch {
		case refused != nil:
			return 0, refused
		case c == nil && wait != nil:
			return 0, reason.Because(reason.ConnectionLimit, "no room for another connection")
		case c == nil && visitor:
			return 0, reason.Because(reason.NoConnection, t.Proto.String()+":"+addr.String()+" had opened its connection itself, and none is opened to it")
		case c == nil:
			return 0, reason.Because(reason.NoConnection, "to "+t.Proto.String()+":"+addr.String()+", and a new one is forbidden")
		case made:
			d.connect(c)
			o, err := d.await(c, wait, w)
			carries(c, t, err)
			return o, err
		}
		if o, err := d.hand(c, t, m, w); err == nil || err.Reason != reason.NoConnection {
			carries(c, t, err)
			return o, err
		}
	}
	return 0, reason.Because(reason.NoConnection, "to "+t.Proto.String()+":"+addr.String()+" stays up")
}

// matchFor returns what a connection must be for a target, and the TLS domains to
// open one by; nil on plain TCP. With an error none can be opened, and want is a
// connection whose peer is known.
func (d *Dialer) matchFor(t *message.Target) (want connection.Match, domains tlsstate.Domains, failed *reason.Error) {
	want.Socket = t.Socket
	if !t.Proto.Secure() {
		return want, nil, nil
	}
	q := connection.QueryOf(t)
	want.CheckCert, want.Name, want.Now = d.Stream(t.Proto).CertCheckOnReuse, reuse.PlainName(q.Meant()), d.All.Seconds()
	want.Self.Verify = true
	if domains = d.TLS(); domains == nil {
		return want, nil, &reason.Error{Reason: reason.ConnectFailed, Blame: reason.BlameConfig, Detail: "no TLS domains"}
	}
	self, err := domains.ClientIdentity(q)
	if err != nil {
		return want, nil, &reason.Error{Reason: reason.ConnectFailed, Blame: reason.BlameConfig, Detail: err.Error(), Err: err}
	}
	want.Self = self
	return want, domains, nil
}

// carries tells a sender that has asked for it by which connection its message
// goes.
func carries(c *connection.Conn, t *message.Target, err *reason.Error) {
	if t.Carrier != nil && err == nil {
		*t.Carrier = c.Ends()
	}
}

// hand returns a message to a connection that is there. Without Async the sender
// waits until it is written.
func (d *Dialer) hand(c *connection.Conn, t *message.Target, m message.Appender, w Sender) (message.Outcome, *reason.Error) {
	var wait *sendqueue.Waiter
	if !c.Config.Async {
		wait = sendqueue.NewWaiter()
	}
	o, err := c.Enqueue(m, t, wait)
	if err == nil && o == message.Sent {
		w.Flush(c)
	}
	if err != nil || wait == nil {
		return o, err
	}
	if !w.StandAside() && wait.Abandon() {
		return o, nil // as many wait as may: the message goes all the same
	}
	return message.Sent, told((<-wait.News()).Err)
}

// await waits for a new connection's message: with Async for the local budgets
// of connect and handshake, which are elapsed time; else for the result, which
// the connection's own deadlines bound.
func (d *Dialer) await(c *connection.Conn, wait *sendqueue.Waiter, w Sender) (message.Outcome, *reason.Error) {
	select { // refused at once, on this machine
	case n := <-wait.News():
		if !n.Connected {
			return message.Sent, told(n.Err)
		}
	default:
	}
	if !w.StandAside() { // too many wait already: Undelivered tells of a failure
		if c.Config.MaxPostponed == 0 {
			c.AskClose(reason.Because(reason.QueueFull, "nothing may wait"))
			if wait.Abandon() {
				return message.Queued, nil
			}
		}
		return d.leave(c, wait)
	}
	if !c.Config.Async {
		for {
			if n := <-wait.News(); !n.Connected {
				return message.Sent, told(n.Err)
			}
		}
	}
	budget := time.NewTimer(c.Config.LocalConnectTimeout)
	defer budget.Stop()
	for {
		select {
		case n := <-wait.News():
			if !n.Connected {
				return message.Sent, told(n.Err)
			}
			budget.Reset(c.Config.LocalHandshakeTimeout)
		case <-budget.C:
			return d.leave(c, wait)
		}
	}
}

// leave parks what is not done within the budget: the message waits with the
// connection, and the sender goes on.
func (d *Dialer) leave(c *connection.Conn, wait *sendqueue.Waiter) (message.Outcome, *reason.Error) {
	if c.Config.MaxPostponed == 0 {
		c.AskClose(reason.Because(reason.QueueFull, "nothing may wait"))
		for {
			if n := <-wait.News(); !n.Connected {
				return message.Sent, told(n.Err)
			}
		}
	}
	if !wait.Abandon() {
		for {
			if n := <-wait.News(); !n.Connected {
				return message.Sent, told(n.Err)
			}
		}
	}
	d.All.Stat.Postponed.Add(1)
	ph := c.Park()
	switch {
	case ph < phase.Handshaking:
		d.All.Stat.ParkedConnects.Add(1)
		d.All.Observe(c, event.ConnectParked, nil, "")
	case ph == phase.Handshaking:
		d.All.Stat.ParkedHandshakes.Add(1)
		d.All.Observe(c, event.HandshakeParked, nil, "")
	}
	return message.Queued, nil
}
