package connection

import (
	"errors"

	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/websocket"
	"sipreactor/tlsstate"
)

// CleanUp settles all that hangs on a connection whose descriptor is closed or
// never was. The owner calls it, once. What it owes others comes first, its codec last.
func (c *Conn) CleanUp() {
	a := c.Common
	defer a.Table.Remove(c.ID) // last: Stop waits for an empty table, and so until all of this is told
	was, box, why := c.over()
	c.Unwatch()
	c.Own.Waits.Stop()
	c.Own.Framing.Drop()
	c.Own.Share.Leave()
	if !c.Src.Outbound && c.Src.Proto.Web() {
		a.Visitors.Left(c.Src.Remote) // before nobody is found there any more
	}
	a.Peers.Leave(c)
	if !c.Src.Outbound {
		a.Inbound.Add(-1)
	}
	if c.Src.Outbound {
		c.countBackoff(was, why)
	}
	c.returnUnacked(why)
	if flight := c.Own.Flight.Batch; flight != nil {
		c.Own.Flight.Batch = nil
		a.undeliver(c, flight, c.Own.Flight.Count, why)
	}
	if box != nil {
		a.undeliver(c, box, 0, why)
	}
	a.Stat.Closed[why.Reason].Add(1)
	c.countFailure(was, why)
	ev := &event.Event{Kind: event.ConnClosed, Err: why, Was: was}
	defer c.tellEnd(ev)
	c.stopCodec(was, ev)
}

// tellEnd tells the observer and the log of the connection's end.
func (c *Conn) tellEnd(ev *event.Event) {
	a := c.Common
	a.Tell(c, ev)
	c.mu.Lock()
	domain := c.tls.Domain
	c.mu.Unlock()
	if ev.TLS != nil { // it ended in its handshake
		domain = ev.TLS.Domain
	}
	a.Log.Closed(a.Now(), c.Called(), ev.Was, ev.Err, domain)
}

// over is the connection's step into its last phase: it returns the phase before that, what waits to be written, and why.
func (c *Conn) over() (was phase.Phase, box *sendqueue.Batch, why *reason.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was = c.life.Was()
	c.life.Enter(phase.Closed)
	box, c.out.Waiting = c.out.Waiting, nil
	return was, box, c.life.Why()
}

// stopCodec ends the codec, and notes for the event of its end what a handshake has come to.
func (c *Conn) stopCodec(was phase.Phase, ev *event.Event) {
	if c.Own.Codec == nil || c.Own.Handshake.Is(handshakes.Away) {
		return
	}
	ended, signing := c.Own.Codec, c.Own.Handshake.Is(handshakes.Signing)
	if was == phase.Handshaking {
		ev.TLS, ev.Secrets = c.TLSState(), c.Secrets()
		ev.Request, ev.Answer = c.Talk()
	}
	if signing {
		c.Loop.Counters().Signing.Add(-1)
	}
	c.Own.Codec, c.Own.Handshake = nil, nil
	ended.Stop()
}

// returnUnacked returns back what was written and not acknowledged. What the peer
// has, and has not answered, is counted.
func (c *Conn) returnUnacked(why *reason.Error) {
	requests := c.Common.ReturnAll(c, &c.Own.Unacked, why)
	if n := c.Owed.Close(); n != 0 {
		c.Loop.Counters().Unanswered.Add(-n)
		c.Common.Stat.NeverAnswered.Add(uint64(max(n-requests, 0)))
	}
}

// countFailure counts a connection that ended before it was established. Owner
// only, at its end.
func (c *Conn) countFailure(was phase.Phase, why *reason.Error) {
	switch {
	case was < phase.Handshaking:
		c.Common.Stat.DialsFailed[why.Reason].Add(1)
	case was == phase.Handshaking:
		var t *tlsstate.Error
		var w *websocket.Error
		switch {
		case errors.As(why, &t):
			c.Common.Stat.HandshakeDefects.Add(t.Reason)
		case errors.As(why, &w):
			c.Common.Stat.HandshakeDefects.Add(w.Reason)
		}
		c.Loop.Counters().Handshakes[c.Side()].Failed[why.Reason].Add(1)
	}
}
