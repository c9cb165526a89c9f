package reactor

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connectqueue"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/tlsstate"
)

// dialing is what a connection of ours has from the first thought of it until it is
// established. Its owner's, but for parked.
type dialing struct {
	sender  *sendqueue.Waiter // that it was made for; nil: it was opened to see whether a destination is back
	domains tlsstate.Domains  // that conn.proof.Self is of; until the handshake begins
	// parked is the phase, plus one, in which the sender went on without waiting
	// for the end of it; 0 = it did not. The connection's lock guards it.
	parked phase.Phase
}

// unpark reports whether a sender did not wait for the end of a phase, or of one
// before, and forgets it. The connection's lock is held. nil: an accepted connection,
// for which nobody waits.
func (d *dialing) unpark(from phase.Phase) bool {
	waited := d != nil && d.parked != 0 && d.parked <= from+1
	if waited {
		d.parked = 0
	}
	return waited
}

// begin makes a connection to a target, with the message it is made for as the
// first that waits. Nobody else sees it yet. nil: there is no room for it.
func (e *Engine) begin(t *Target, want *match, domains tlsstate.Domains, m Appender, w *sendqueue.Waiter) *conn {
	c := e.dialled(t, want, domains, w)
	c.out.Add(m, t.entry(w)) // before the table has it: an Appender may panic
	return e.enter(c)
}

// dialled makes a connection that is still to be opened, and that nobody sees.
func (e *Engine) dialled(t *Target, want *match, domains tlsstate.Domains, w *sendqueue.Waiter) *conn {
	c := &conn{eng: e, cfg: e.cfg.stream(t.Proto), born: time.Now(), target: *t, dial: &dialing{sender: w, domains: domains}}
	c.sock.Owner = c
	c.sock.Hold(-1)
	c.proof.Self, c.proof.Meant = want.Self, want.Name
	c.target.Set, c.target.Carrier, c.target.Note = nil, nil, nil // the message's, not the connection's
	c.src = Source{Proto: t.Proto, Remote: t.Addr, Socket: t.Socket, Outbound: true}
	c.speaks()
	return c
}

// enter puts a connection of ours into the table. nil: there is no room for it.
func (e *Engine) enter(c *conn) *conn {
	if e.full() || e.table.Add(c) == 0 {
		return nil
	}
	return c
}

// query is what the TLS layer asks to choose a client domain.
func (c *conn) query() tlsstate.ClientQuery { return c.target.query() }

func (t *Target) query() tlsstate.ClientQuery {
	return tlsstate.ClientQuery{Domain: t.Domain, SIPDomain: t.Name, Addr: t.Addr}
}

// connect starts the TCP connect of a new connection and leaves it with the
// connect queue, or with a loop if it is done at once.
func (e *Engine) connect(c *conn) {
	e.stat.Dials.Add(1)
	e.observe(c, ConnectStarted, nil, "")
	fd, err := kernel.OpenStream(c.src.Remote.Addr(), c.bindAddr(), (*kernel.Keepalive)(&e.cfg.Keepalive))
	if err == nil {
		c.sock.Hold(fd)
		err = unix.Connect(fd, kernel.Sockaddr(c.src.Remote))
		c.bound()
	}
	switch err {
	case nil:
		e.enroll(c)
		return
	case unix.EINPROGRESS:
		if err = e.connects.Park(c, c.connectLimit()); err == nil {
			return
		}
	}
	if c.sock.Fd() >= 0 {
		unix.Close(c.sock.Fd())
	}
	c.noteClose(c.refusedHere(err))
	c.cleanUp()
}

// connectLimit is how long the connect may take.
func (c *conn) connectLimit() time.Duration {
	switch {
	case c.probing:
		return probeTime
	case !c.cfg.Async:
		return c.eng.cfg.ConnectTimeout
	default:
		return c.eng.cfg.ParkedTimeout
	}
}

// Connected gets the connection from the connect queue: with an error it has no
// descriptor any more. Any goroutine.
func (c *conn) Connected(err error) {
	switch {
	case err == nil:
		c.eng.enroll(c)
		return
	case errors.Is(err, connectqueue.ErrTimeout):
		c.noteClose(reason.Because(ConnectTimeout, "no answer after "+c.connectLimit().String()))
	case !errors.Is(err, connectqueue.ErrCancelled): // else it has its reason
		c.noteClose(dialFailed(err))
	}
	c.cleanUp()
}

// bound notes our own end, which the kernel chooses when a connect begins, so
// that a connect that fails can be told with it.
func (c *conn) bound() {
	a, err := kernel.LocalAddr(c.sock.Fd())
	if err != nil || a.Port() == 0 || a.Addr().IsUnspecified() {
		return
	}
	c.mu.Lock()
	c.src.Local = a
	c.mu.Unlock()
}

// enroll returns a connected socket to a loop.
func (e *Engine) enroll(c *conn) {
	c.mu.Lock()
	closeReason := c.life.Why()
	if closeReason == nil {
		c.life.Step(phase.Enrolling)
	}
	c.mu.Unlock()
	if closeReason != nil {
		unix.Close(c.sock.Fd())
		c.cleanUp()
		return
	}
	e.observe(c, ConnectDone, nil, "")
	e.poll.Adopt(&c.sock, func(err error) {
		c.noteClose(dialFailed(err))
		c.cleanUp()
	})
}

// dialFailed is the reason of a connect that failed. That this machine has no
// descriptor, port or memory left says nothing of the peer.
func dialFailed(cause error) *Error {
	e := reason.Fail(ConnectFailed, cause)
	if poller.Lacking(cause) {
		e.Blame = BlameUs
	}
	return e
}

// refusedHere is the reason of a connect that failed at once. What only this machine
// can have said (no route, a filter, an address that the chosen one does not reach) is
// for whoever chose the ends.
func (c *conn) refusedHere(cause error) *Error {
	e := dialFailed(cause)
	if kernel.OwnChoice(cause) {
		e.Blame = BlameConfig
		e.Detail = "this machine does not connect to " + c.src.Remote.String()
		if from := c.bindAddr(); from.IsValid() {
			e.Detail += " from " + from.String()
		}
		e.Detail += ": " + cause.Error()
	}
	return e
}

// noPlace returns an error for what is no address of a peer: to none of these can be
// connected, but the kernel takes some for this machine.
func noPlace(to netip.AddrPort, stream bool) *Error {
	a := to.Addr()
	if to.Port() != 0 && !a.IsUnspecified() && !(stream && (a.IsMulticast() || a == broadcast)) {
		return nil
	}
	return &Error{Reason: ConnectFailed, Blame: BlameConfig, Detail: to.String() + " is no address of a peer"}
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// tellConnected lets the sender that dialled know that the handshake begins.
func (c *conn) tellConnected() {
	if w := c.dial.sender; w != nil {
		w.Connected()
	}
}
