package reactor

import (
	"errors"
	"net/netip"
	"time"

	"sipreactor/reactor/internal/phase"
	"sipreactor/tlsstate"
)

// backoffKey gives the key of a target; name is what its certificate must name,
// "" on plain TCP.
func (t *Target) backoffKey(addr netip.AddrPort, domain, name string) backoffKey {
	return backoffKey{socket: t.Socket, peer: keyOf(t.Proto, addr), domain: domain, name: name}
}

func (c *conn) backoffKey() backoffKey {
	return c.target.backoffKey(c.src.Remote, c.self.Domain, c.meant)
}

// countBackoff tells the back-off table of a connection of ours that ended, if it
// never was up or the peer refused our certificate behind the handshake. The
// death of an established connection says little: the next dial does. Owner only,
// at the end.
func (c *conn) countBackoff(was phase.Phase, why *Error) {
	var t *tlsstate.Error
	ofName := errors.As(why, &t)
	e := c.eng
	key := c.backoffKey()
	counts := was < phase.Established || c.unacked.trial && ofName
	if counts && why.Blame == BlamePeer {
		if e.backoff.failed(e.now(), key, ofName, &c.target, why) {
			e.log.Info("destination left alone", "proto", c.src.Proto.String(), "peer", c.src.Remote.String(),
				"reason", why.Error(), "parameter", "tcp_backoff")
		}
	} else if c.probing {
		e.backoff.deferred(e.now(), key)
	}
	e.schedule()
}

// reached tells the back-off table that the peer took us. Any goroutine.
func (c *conn) reached() {
	if c.src.Outbound && c.eng.backoff.succeeded(c.backoffKey()) {
		c.eng.logBack(c)
	}
}

// answeredFrom tells the back-off table of an answer, once a second for each
// connection. Loop only.
func (l *loop) answeredFrom(c *conn) {
	e := l.eng
	if e.backoff.count.Load() == 0 || c.heard == l.seconds.Load()+1 {
		return
	}
	c.heard = l.seconds.Load() + 1
	e.peers.mu.Lock()
	ends := append([]peerKey{keyOf(c.src.Proto, c.src.Remote)}, c.aliases...)
	e.peers.mu.Unlock()
	if e.backoff.answered(ends...) {
		e.logBack(c)
	}
}

func (e *Engine) logBack(c *conn) {
	e.log.Info("destination is used again", "proto", c.src.Proto.String(), "peer", c.src.Remote.String(), "id", uint64(c.id))
}

// schedule has the next probe made when it is due. Any goroutine.
func (e *Engine) schedule() {
	b := &e.backoff
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.next()
	if next == 0 || b.over {
		return
	}
	wait := time.Duration(max(next-e.now(), 0))
	if b.timer == nil {
		b.timer = time.AfterFunc(wait, e.probeDue)
	} else {
		b.timer.Reset(wait)
	}
}

// probeDue dials the destinations whose time has come, without a message.
func (e *Engine) probeDue() {
	list := e.backoff.due(e.now())
	for i := range list {
		e.probe(&list[i])
	}
	e.schedule()
}

// probe opens a connection to a destination that is left alone. It is found by
// senders when it is up.
func (e *Engine) probe(t *Target) {
	want, domains, err := e.matchFor(t)
	if err != nil {
		e.backoff.reset(t.Addr) // the client domain is gone, and so are its failures
		return
	}
	b := &e.backoff
	b.mu.Lock()
	var c *conn
	if !b.over {
		c = e.dialled(t, &want, domains, nil, true)
	}
	b.mu.Unlock()
	if c == nil {
		b.deferred(e.now(), t.backoffKey(t.Addr, want.self.Domain, want.name))
		return
	}
	time.AfterFunc(probeTime, c.probeOver)
	e.connect(c)
}

// probeOver ends a probe's time. A peer that has taken the handshake and not
// refused our certificate by now has taken that, too.
func (c *conn) probeOver() {
	c.mu.Lock()
	up := c.phase == phase.Established && c.doom == nil
	c.mu.Unlock()
	if up {
		c.reached()
		return
	}
	c.kill(because(HandshakeTimeout, "no answer to a probe after "+probeTime.String()))
}

// endProbes has no probe made any more.
func (e *Engine) endProbes() {
	b := &e.backoff
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.timer != nil {
		b.timer.Stop()
	}
}

// Backoff lists the destinations that are left alone, the latest failure first.
// Any goroutine.
func (e *Engine) Backoff() []BackoffInfo { return e.backoff.snapshot(e.now()) }

// ResetBackoff has the destinations at an address, or all for an invalid one,
// tried again by the next message. It tells how many there were. Any goroutine.
func (e *Engine) ResetBackoff(at netip.AddrPort) int { return e.backoff.reset(at) }
