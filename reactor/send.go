package reactor

import (
	"net/netip"
	"time"

	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/tlsstate"
)

// Send hands a message to the connection that t names, or to one to its
// address, which is opened if needed. It returns Sent or Queued when the engine
// has the message: then Handler.Undelivered gets it back should it not be
// written after all, or not be acknowledged by the peer's TCP. An error (*Error)
// means that nobody has it.
//
// A destination that could not be reached is left alone for a while: without a
// connection to it, Send fails at once with the reason of that (Config.Backoff).
//
// Send may wait for the local budgets of a new connection, or with Async off
// for the write itself; a follower takes the shard over meanwhile.
func (w *Worker) Send(t *Target, m Appender) (Outcome, error) {
	return answer(w.eng.send(t, m, w))
}

// Send is Worker.Send for a goroutine that is no worker.
func (e *Engine) Send(t *Target, m Appender) (Outcome, error) {
	return answer(e.send(t, m, nil))
}

// told returns the error that a waiting sender was told.
func told(err error) *Error {
	e, _ := err.(*Error) //nolint:errorlint // it is handed on as it is
	return e
}

// answer keeps a nil *Error from becoming an error that is not nil.
func answer(o Outcome, err *Error) (Outcome, error) {
	if err != nil {
		return 0, err
	}
	return o, nil
}

func (e *Engine) send(t *Target, m Appender, w *Worker) (Outcome, *Error) {
	if c := e.table.Get(t.Conn); c != nil {
		if o, err := e.hand(c, t, m, w); err == nil || err.Reason != NoConnection {
			c.carries(t, err)
			return o, err
		}
	}
	addr := netip.AddrPortFrom(t.Addr.Addr().Unmap(), t.Addr.Port())
	switch {
	case !e.up.Load():
		return 0, reason.Because(NoConnection, "the engine does not run")
	case !t.Addr.IsValid():
		return 0, reason.Because(NoConnection, "it is gone")
	}
	if e := noPlace(addr, t.Proto != UDP); e != nil {
		return 0, e
	}
	switch {
	case t.Proto == UDP:
		return e.sendDatagram(t, m, w)
	case !t.Proto.Stream():
		return 0, &Error{Reason: NoConnection, Blame: BlameConfig, Detail: "no transport named"}
	}
	key := endpoint.Of(t.Proto, addr)
	want, domains, failed := e.matchFor(t)
	if failed != nil && !t.Proto.Web() {
		// None can be opened; a user that is known by its connection is reached by that all the same.
		if c, _ := e.peers.find(key, &want, nil); c != nil && !c.src.Outbound {
			o, err := e.hand(c, t, m, w)
			c.carries(t, err)
			return o, err
		}
		return 0, failed
	}
	if failed != nil { // browsers are reached by what they have opened, and no domain says that they are to be verified
		want.Self.Verify = false
	}
	if t.Proto == WS { // transport=ws says WebSocket, over TLS as well (RFC 7118 5.5)
		if c, _ := e.peers.find(endpoint.Of(WSS, addr), &match{}, nil); c != nil {
			if o, err := e.hand(c, t, m, w); err == nil || err.Reason != NoConnection {
				c.carries(t, err)
				return o, err
			}
		}
	}
	for range 4 { // a connection that is found may end before it takes the message
		var wait *sendqueue.Waiter
		var refused *Error
		var begin func() *conn
		if !t.NoNew && !e.cfg.ForbidNewOnSend && !e.stopping.Load() {
			begin = func() *conn {
				if refused = failed; refused != nil {
					return nil
				}
				if refused = e.leftAlone(t, addr, want.Self.Domain, want.Name); refused != nil {
					return nil
				}
				wait = sendqueue.NewWaiter()
				to := *t
				to.Addr = addr
				return e.begin(&to, &want, domains, m, wait)
			}
		}
		c, made := e.peers.find(key, &want, begin)
		switch {
		case refused != nil:
			return 0, refused
		case c == nil && wait != nil:
			return 0, reason.Because(ConnectionLimit, "no room for another connection")
		case c == nil:
			return 0, reason.Because(NoConnection, "to "+t.Proto.String()+":"+addr.String()+", and a new one is forbidden")
		case made:
			e.connect(c)
			o, err := e.await(c, wait, w)
			c.carries(t, err)
			return o, err
		}
		if o, err := e.hand(c, t, m, w); err == nil || err.Reason != NoConnection {
			c.carries(t, err)
			return o, err
		}
	}
	return 0, reason.Because(NoConnection, "to "+t.Proto.String()+":"+addr.String()+" stays up")
}

// matchFor returns what a connection must be for a target, and the TLS domains to
// open one by; nil on plain TCP. With an error none can be opened, and want is a
// connection whose peer is known.
func (e *Engine) matchFor(t *Target) (want match, domains tlsstate.Domains, failed *Error) {
	want.socket = t.Socket
	if !t.Proto.Secure() {
		return want, nil, nil
	}
	q := t.query()
	want.CheckCert, want.Name, want.now = e.cfg.stream(t.Proto).CertCheckOnReuse, reuse.PlainName(q.Meant()), e.seconds()
	want.Self.Verify = true
	if domains = e.tls(); domains == nil {
		return want, nil, &Error{Reason: ConnectFailed, Blame: BlameConfig, Detail: "no TLS domains"}
	}
	self, err := domains.ClientIdentity(q)
	if err != nil {
		return want, nil, &Error{Reason: ConnectFailed, Blame: BlameConfig, Detail: err.Error(), Err: err}
	}
	want.Self = self
	return want, domains, nil
}

// carries tells a sender that has asked for it by which connection its message
// goes.
func (c *conn) carries(t *Target, err *Error) {
	if t.Carrier != nil && err == nil {
		c.mu.Lock()
		*t.Carrier = c.src
		c.mu.Unlock()
	}
}

// hand returns a message to a connection that is there. Without Async the sender
// waits until it is written.
func (e *Engine) hand(c *conn, t *Target, m Appender, w *Worker) (Outcome, *Error) {
	if c.cfg.Async {
		return c.enqueue(m, t, nil)
	}
	wait := sendqueue.NewWaiter()
	o, err := c.enqueue(m, t, wait)
	if err != nil {
		return o, err
	}
	if !w.standAside() && wait.Abandon() {
		return o, nil // as many wait as may: the message goes all the same
	}
	return Sent, told((<-wait.News()).Err)
}

// await waits for a new connection's message: with Async for the local budgets
// of connect and handshake, which are elapsed time; else for the result, which
// the connection's own deadlines bound.
func (e *Engine) await(c *conn, wait *sendqueue.Waiter, w *Worker) (Outcome, *Error) {
	select { // refused at once, on this machine
	case n := <-wait.News():
		if !n.Connected {
			return Sent, told(n.Err)
		}
	default:
	}
	if !w.standAside() { // too many wait already: Undelivered tells of a failure
		if c.cfg.MaxPostponed == 0 {
			c.askClose(reason.Because(QueueFull, "nothing may wait"))
			if wait.Abandon() {
				return Queued, nil
			}
		}
		return e.leave(c, wait)
	}
	if !c.cfg.Async {
		for {
			if n := <-wait.News(); !n.Connected {
				return Sent, told(n.Err)
			}
		}
	}
	budget := time.NewTimer(c.cfg.LocalConnectTimeout)
	defer budget.Stop()
	for {
		select {
		case n := <-wait.News():
			if !n.Connected {
				return Sent, told(n.Err)
			}
			budget.Reset(c.cfg.LocalHandshakeTimeout)
		case <-budget.C:
			return e.leave(c, wait)
		}
	}
}

// leave parks what is not done within the budget: the message waits with the
// connection, and the sender goes on.
func (e *Engine) leave(c *conn, wait *sendqueue.Waiter) (Outcome, *Error) {
	if c.cfg.MaxPostponed == 0 {
		c.askClose(reason.Because(QueueFull, "nothing may wait"))
		for {
			if n := <-wait.News(); !n.Connected {
				return Sent, told(n.Err)
			}
		}
	}
	if !wait.Abandon() {
		for {
			if n := <-wait.News(); !n.Connected {
				return Sent, told(n.Err)
			}
		}
	}
	e.stat.Postponed.Add(1)
	c.mu.Lock()
	ph := c.life.At()
	if ph < phase.Established {
		c.dial.parked = ph + 1
	}
	c.mu.Unlock()
	switch {
	case ph < phase.Handshaking:
		e.stat.ParkedConnects.Add(1)
		e.observe(c, ConnectParked, nil, "")
	case ph == phase.Handshaking:
		e.stat.ParkedHandshakes.Add(1)
		e.observe(c, HandshakeParked, nil, "")
	}
	return Queued, nil
}
