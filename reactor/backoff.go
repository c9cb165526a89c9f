package reactor

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"sipreactor/reactor/internal/backoff"
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/tlsstate"
)

type (
	backoffKey    = backoff.Key[*Socket]
	backoffTable  = backoff.Table[*Socket, *Target, *Error]
	backoffTarget = backoff.Target[*Target]
)

// probeTime is what a probe may take for connect and handshake together.
const probeTime = 5 * time.Second

// backoffKey returns the key of a target; name is what its certificate must name,
// "" on plain TCP.
func (t *Target) backoffKey(addr netip.AddrPort, domain, name string) backoffKey {
	return backoffKey{Socket: t.Socket, Peer: endpoint.Of(t.Proto, addr), Domain: domain, Name: name}
}

// ends calls yield for each end point of the set.
func (s *AddrSet) ends(yield func(endpoint.Key) bool) {
	if s == nil {
		return
	}
	for _, p := range s.EndPoints {
		if !yield(endpoint.Of(p.Proto, p.Addr)) {
			return
		}
	}
}

// leftAlone returns the reason to leave a destination alone that has no connection;
// nil when a new one may be opened.
func (e *Engine) leftAlone(t *Target, addr netip.AddrPort, domain, name string) *Error {
	if e.backoff.Len() == 0 {
		return nil
	}
	why, refused := e.backoff.Refuses(e.now(), t.backoffKey(addr, domain, name), t.Name, t.Set.ends)
	if !refused {
		return nil
	}
	return why
}

// remembered is a reason as the messages get it that come later.
func remembered(why *Error) *Error {
	e := *why
	e.Detail = strings.TrimPrefix(e.Detail+"; left alone (tcp_backoff)", "; ")
	return &e
}

// remembered is a target as the table keeps it: without what was its message's.
func (t *Target) remembered() backoffTarget {
	to := *t
	to.Conn, to.Set, to.Carrier, to.Note = 0, nil, nil, nil
	return backoffTarget{Addr: t.Addr, Name: t.Name, What: &to}
}

func (c *conn) backoffKey() backoffKey {
	return c.target.backoffKey(c.src.Remote, c.proof.Self.Domain, c.proof.Meant)
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
	counts := was < phase.Established || c.unacked.Unconfirmed && ofName
	if counts && why.Blame == BlamePeer {
		if e.backoff.Failed(e.now(), key, ofName, c.target.remembered(), remembered(why)) {
			e.connlog.LeftAlone(c.src.Proto, c.src.Remote, why)
		}
	} else if c.probing {
		e.backoff.Deferred(e.now(), key)
	}
	e.schedule()
}

// reached tells the back-off table that the peer took us. Any goroutine.
func (c *conn) reached() {
	if c.src.Outbound && c.eng.backoff.Succeeded(c.backoffKey()) {
		c.eng.connlog.Back(c.called())
	}
}

// answeredFrom tells the back-off table of an answer, once a second for each
// connection. Loop only.
func (l *loop) answeredFrom(c *conn) {
	e := l.eng
	if e.backoff.Len() == 0 || c.answered == l.seconds.Load()+1 {
		return
	}
	c.answered = l.seconds.Load() + 1
	if e.backoff.Answered(e.peers.Ends(c)...) {
		e.connlog.Back(c.called())
	}
}

// schedule has the next probe made when it is due. Any goroutine.
func (e *Engine) schedule() { e.probes.Schedule(e.nextProbe, e.probeDue) }

// nextProbe returns how long it is to the next probe, if there is to be one.
func (e *Engine) nextProbe() (in time.Duration, ok bool) {
	next := e.backoff.Next()
	return time.Duration(max(next-e.now(), 0)), next != 0
}

// probeDue dials the destinations whose time has come, without a message.
func (e *Engine) probeDue() {
	for _, d := range e.backoff.Due(e.now()) {
		to := *d.What
		if to.Proto == UDP { // the next message is the probe
			e.backoff.Answered(endpoint.Of(UDP, d.Addr))
			continue
		}
		to.Name = d.Name
		e.probe(&to)
	}
	e.schedule()
}

// probe opens a connection to a destination that is left alone. It is found by
// senders when it is up.
func (e *Engine) probe(t *Target) {
	want, domains, err := e.matchFor(t)
	if err != nil {
		e.backoff.Reset(t.Addr) // the client domain is gone, and so are its failures
		return
	}
	var c *conn
	e.probes.Begin(func() {
		c = e.dialled(t, &want, domains, nil)
		cfg := *c.cfg
		cfg.HandshakeTimeout = probeTime
		c.cfg, c.probing = &cfg, true
		c = e.enter(c)
	})
	if c == nil {
		e.backoff.Deferred(e.now(), t.backoffKey(t.Addr, want.Self.Domain, want.Name))
		return
	}
	time.AfterFunc(probeTime, c.probeOver)
	e.connect(c)
}

// probeOver ends a probe's time. A peer that has taken the handshake and not
// refused our certificate by now has taken that, too.
func (c *conn) probeOver() {
	c.mu.Lock()
	up := c.life.At() == phase.Established && c.life.Why() == nil
	late := reason.Because(HandshakeTimeout, "none was completed with a probe of ours after "+probeTime.String())
	if c.life.At() < phase.Handshaking {
		late = reason.Because(ConnectTimeout, "no answer to a probe of ours after "+probeTime.String())
	}
	c.mu.Unlock()
	if up {
		c.reached()
		return
	}
	c.askClose(late)
}

// BackoffInfo describes a destination that is left alone.
type BackoffInfo struct {
	Proto Proto
	Addr  netip.AddrPort
	// Socket is the local socket that its connections are to have; nil is any.
	Socket *Socket
	// Domain is the TLS client domain; Name the SIP domain for which alone the
	// destination failed, "" for all.
	Domain, Name string
	// Reason is what its messages are told.
	Reason *Error
	// Step is how long it is left alone at a time, Left how much of that is left,
	// Probing that a probe of ours is on its way. Since is the time since it last
	// failed.
	Step, Left, Since time.Duration
	Probing           bool
	// Refused is how many messages it was not given.
	Refused uint64
}

// Backoff lists the destinations that are left alone, the latest failure first.
// Any goroutine.
func (e *Engine) Backoff() []BackoffInfo {
	all := e.backoff.Snapshot(e.now())
	list := make([]BackoffInfo, len(all))
	for i, d := range all {
		list[i] = BackoffInfo{Proto: Proto(d.Key.Peer.Proto()), Addr: d.Addr, Socket: d.Key.Socket, Domain: d.Key.Domain, Name: d.Key.Name,
			Reason: d.Reason, Step: d.Step, Left: d.Left, Since: d.Since, Probing: d.Probing, Refused: d.Refused}
	}
	return list
}

// ResetBackoff has the destinations at an address, or all for an invalid one,
// tried again by the next message. It tells how many there were. Any goroutine.
func (e *Engine) ResetBackoff(at netip.AddrPort) int { return e.backoff.Reset(at) }
