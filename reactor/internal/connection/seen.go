package connection

import (
	"time"

	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/tlsstate"
)

// What the connection's lock guards is what others than its owner see of it. Nobody else
// takes the lock: who has something to tell them, or to ask, does it by a method of these.

// At returns where the connection is in its life. Owner only; Phase is for others.
func (c *Conn) At() phase.Phase { return c.life.At() }

// Was returns the phase before its end began. Owner only.
func (c *Conn) Was() phase.Phase { return c.life.Was() }

// Why returns why the connection is to close, once it has a reason; nil before. Owner only.
func (c *Conn) Why() *reason.Error { return c.life.Why() }

// Phase returns where the connection is in its life. Any goroutine.
func (c *Conn) Phase() phase.Phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life.At()
}

// Begin has an accepted connection begin its life. Nobody else sees it yet.
func (c *Conn) Begin(at phase.Phase) { c.life.Begin(at) }

// Means has a connection of ours remember what it is to show, and whom it was made to reach.
// Nobody else sees it yet.
func (c *Conn) Means(self tlsstate.ClientIdentity, name string) {
	c.proof.Self, c.proof.Meant = self, name
}

// TakeWaiting takes what waits to be written; nil: nothing does. It tells why the connection
// is to close, and whether its peer has ended its half. Loop only.
func (c *Conn) TakeWaiting() (b *sendqueue.Batch, why *reason.Error, half bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, c.out.Waiting = c.out.Waiting, nil
	return b, c.life.Why(), c.half
}

// Turn masks the messages of a batch that is about to be sealed, or takes the masks off again.
// Loop only.
func (c *Conn) Turn(b *sendqueue.Batch) { c.out.Turn(b) }

// WaitingBytes returns how much waits to be written. Loop only.
func (c *Conn) WaitingBytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.Waiting == nil {
		return 0
	}
	return len(c.out.Waiting.Text)
}

// Blocks notes that the socket takes no more, and whether it has taken something just now.
// Loop only.
func (c *Conn) Blocks(progress bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocked = true
	c.out.Blocked = c.Own.Flight.Unsent()
	if progress {
		c.out.Full = false
	}
}

// Unblocks notes that the socket has taken all there was. Loop only.
func (c *Conn) Unblocks() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocked, c.out.Blocked, c.out.Full = false, 0, false
}

// HasRefused reports whether a message found no room since the socket takes no more. Loop
// only.
func (c *Conn) HasRefused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Full
}

// Owes reports whether there are messages to give back if the connection ends now. Loop only.
func (c *Conn) Owes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.Own.Unacked.Empty() || c.Own.Flight.Batch != nil || c.out.Waiting != nil
}

// Answer appends a frame of the framing's own that answers a ping, if that has a place. The
// flush is the caller's. Loop only.
func (c *Conn) Answer(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mayPong() {
		c.out.AddRaw(frame)
	}
}

// ShookHands notes how long the handshake took. Loop only.
func (c *Conn) ShookHands(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tls.Took = took
}

// Outlives reports whether the connection goes on though its peer says nothing more, because
// that has responses to get. Loop only.
func (c *Conn) Outlives() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Why() != nil || c.life.At() != phase.Established {
		return false
	}
	return c.Owed.Theirs() > 0 || !c.Src.Outbound && (c.out.Waiting != nil || c.Own.Flight.Batch != nil)
}

// EndHalf notes that the peer says nothing more and waits for responses, and reports whether
// that is news. Loop only.
func (c *Conn) EndHalf() (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, c.half = !c.half, true
	return first
}

// Detach keeps the socket open without its loop (poller.Socket), whose descriptor others look
// at, and reports whether it did, and whether the socket takes no more. It is for
// LoopHandler.Closed.
func (c *Conn) Detach() (detached, blocked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Own.Sock.Detach(), c.blocked
}

// WithFd calls f with the descriptor while it cannot become somebody else's; not for a
// connection that is over. Any goroutine.
func (c *Conn) WithFd(f func(fd int)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.At() != phase.Closed {
		f(c.Own.Sock.Fd())
	}
}

// Park notes that the sender goes on without waiting for the end of the phase that it
// returns. Any goroutine.
func (c *Conn) Park() phase.Phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.life.At()
	if at < phase.Established {
		c.Own.Dial.parked = at + 1
	}
	return at
}

// KeptTLS returns what is kept of the TLS connection once it is established; nil before, and
// on a plain one. Any goroutine.
func (c *Conn) KeptTLS() *tlsstate.State {
	c.mu.Lock()
	t := c.tls
	c.mu.Unlock()
	switch {
	case t.Whole != nil:
		return t.Whole
	case t.Version == 0:
		return nil
	}
	return &tlsstate.State{Client: t.Client, Domain: t.Domain, Version: t.Version, Cipher: t.Cipher, Resumed: t.Resumed, Own: t.Own}
}
