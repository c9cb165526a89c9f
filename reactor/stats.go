package reactor

import (
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/loops"
)

// Stats adds the counters up. It takes microseconds; not for a loop.
func (e *Engine) Stats() Stats {
	s := figures.Begin(&e.conns.Stat)
	for _, h := range e.dispatcher.Shards {
		figures.AddShard(&s, &h.Stat)
		s.InHand += h.Busy()
		s.Waiting += h.Waiting()
	}
	e.loops.Each(func(l *loops.Loop) { figures.AddLoop(&s, &l.Stat) })
	if n := e.loops.Poll.TurnedAway(); n > 0 {
		s.RefusedFor[RefusedDescriptors] += n
	}
	figures.AddUp(&s)
	s.Connections, s.Peers, s.BackedOff = e.conns.Table.Len(), e.conns.Peers.Len(), e.conns.Backoff.Len()
	if e.dialer.Up.Load() {
		s.Parking, s.Lingering = e.conns.Connects.Len(), e.conns.Connects.Lingering()
	}
	s.HandshakesWaiting += e.handshakers.Waiting()
	s.BackoffRefused, s.BackoffProbes = e.conns.Backoff.Counts()
	s.AcceptFailed, s.DatagramsDropped = e.loops.Poll.AcceptFailed(), e.loops.Poll.Dropped()
	return s
}
