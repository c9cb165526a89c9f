package connection

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connectqueue"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// Dialing is what a connection of ours has from the first thought of it until it is
// established. Its owner's, but for parked.
type Dialing struct {
	Sender  *sendqueue.Waiter // that it was made for; nil: it was opened to see whether a destination is back
	Domains tlsstate.Domains  // that the Conn was made with; until the handshake begins
	// parked is the phase, plus one, in which the sender went on without waiting
	// for the end of it; 0 = it did not. The connection's lock guards it.
	parked phase.Phase
}

// unpark reports whether a sender did not wait for the end of a phase, or of one
// before, and forgets it. The connection's lock is held. nil: an accepted connection,
// for which nobody waits.
func (d *Dialing) unpark(from phase.Phase) bool {
	waited := d != nil && d.parked != 0 && d.parked <= from+1
	if waited {
		d.parked = 0
	}
	return waited
}

// ConnectLimit is how long the connect may take.
func (c *Conn) ConnectLimit() time.Duration {
	switch {
	case c.Probing:
		return ProbeTime
	case !c.Config.Async:
		return c.Common.Limits.ConnectTimeout
	default:
		return c.Common.Limits.ParkedTimeout
	}
}

// Connected gets the connection from the connect queue: with an error it has no
// descriptor any more. Any goroutine.
func (c *Conn) Connected(err error) {
	switch {
	case err == nil:
		c.Common.Enroll(c)
		return
	case errors.Is(err, connectqueue.ErrTimeout):
		c.NoteClose(reason.Because(reason.ConnectTimeout, "no answer after "+c.ConnectLimit().String()))
	case !errors.Is(err, connectqueue.ErrCancelled): // else it has its reason
		c.NoteClose(DialFailed(err))
	}
	c.CleanUp()
}

// Bound notes our own end, which the kernel chooses when a connect begins, so
// that a connect that fails can be told with it.
func (c *Conn) Bound() {
	a, err := kernel.LocalAddr(c.Own.Sock.Fd())
	if err != nil || a.Port() == 0 || a.Addr().IsUnspecified() {
		return
	}
	c.mu.Lock()
	c.Src.Local = a
	c.mu.Unlock()
}

// Enroll returns a connected socket to a loop.
func (a *Common) Enroll(c *Conn) {
	c.mu.Lock()
	closeReason := c.life.Why()
	if closeReason == nil {
		c.life.Enter(phase.Enrolling)
	}
	c.mu.Unlock()
	if closeReason != nil {
		unix.Close(c.Own.Sock.Fd())
		c.CleanUp()
		return
	}
	a.Observe(c, event.ConnectDone, nil, "")
	a.Adopt(&c.Own.Sock, func(err error) {
		c.NoteClose(DialFailed(err))
		c.CleanUp()
	})
}

// DialFailed is the reason of a connect that failed. That this machine has no
// descriptor, port or memory left, or that the loops end, says nothing of the peer.
func DialFailed(cause error) *reason.Error {
	e := reason.Fail(reason.ConnectFailed, cause)
	if kernel.Lacking(cause) || errors.Is(cause, poller.ErrStopped) {
		e.Blame = reason.BlameUs
	}
	return e
}

// TellConnected lets the sender that dialled know that the handshake begins.
func (c *Conn) TellConnected() {
	if w := c.Own.Dial.Sender; w != nil {
		w.Connected()
	}
}

// ProbeTime is what a probe may take for connect and handshake together.
const ProbeTime = 5 * time.Second

// BindAddr is the local address that a dialled connection must have; invalid
// when any will do.
func (c *Conn) BindAddr() netip.Addr {
	if s := c.Src.Socket; s != nil && !s.Addr.Addr().IsUnspecified() {
		return s.Addr.Addr()
	}
	return netip.Addr{}
}

// ComesTo gives a connection of ours its loop, and reports whether it lives and whether a sender did not wait for its
// connect.
func (c *Conn) ComesTo(l Owner) (lives, waited bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Loop = l
	if c.life.Why() != nil {
		return false, false
	}
	waited = c.Own.Dial.unpark(phase.Enrolling)
	next := phase.Established
	if transport.Shakes(c.Src.Proto) {
		next = phase.Handshaking
	}
	c.life.Enter(next)
	return true, waited
}

// ComesUp has others find the connection established, and reports whether a sender did not wait for that.
func (c *Conn) ComesUp(state *tlsstate.State) (waited bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.At() != phase.Established {
		c.life.Enter(phase.Established)
	}
	c.tls.Set(state)
	c.Src.Verified = state != nil && state.Verified
	waited = c.Own.Dial.unpark(phase.Handshaking)
	c.Own.Dial = nil
	return waited
}
