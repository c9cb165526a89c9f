package dialing

import (
	"net/netip"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// Send hands a message to the connection that t names, or to one to its address, which is
// opened if needed. nil: the sender has it off its hands. What is to go by UDP it leaves to
// the caller (ByDatagram). It may wait, as w allows.
func (d *Dialer) Send(t *message.Target, m message.Appender, w Sender) (message.Outcome, *reason.Error) {
	if c := d.All.Table.Get(t.Conn); c != nil {
		if o, err := d.hand(c, t, m, w); taken(err) {
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
			return d.hand(c, t, m, w)
		}
		return 0, failed
	}
	if failed != nil { // browsers are reached by what they have opened, and no domain says that they are to be verified
		want.Self.Verify = false
	}
	if t.Proto == transport.WS { // transport=ws says WebSocket, over TLS as well (RFC 7118 5.5)
		if c, _ := d.All.Peers.Find(endpoint.Of(transport.WSS, addr), &connection.Match{}, nil); c != nil {
			if o, err := d.hand(c, t, m, w); taken(err) {
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
		if o, err := d.hand(c, t, m, w); taken(err) {
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

// taken reports whether a connection has dealt with a message: it has it, or has refused it,
// and is not just gone.
func taken(err *reason.Error) bool { return err == nil || err.Reason != reason.NoConnection }

// hand gives a message to a connection that is there. Without Async the sender
// waits until it is written.
func (d *Dialer) hand(c *connection.Conn, t *message.Target, m message.Appender, w Sender) (message.Outcome, *reason.Error) {
	o, err := d.enqueue(c, t, m, w)
	carries(c, t, err)
	return o, err
}

// enqueue is hand without telling which connection it was.
func (d *Dialer) enqueue(c *connection.Conn, t *message.Target, m message.Appender, w Sender) (message.Outcome, *reason.Error) {
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
