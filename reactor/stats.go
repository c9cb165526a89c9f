package reactor

import "sipreactor/reactor/internal/figures"

// Stats adds the counters up. It takes microseconds; not for a loop.
func (e *Engine) Stats() Stats {
	s := figures.Begin(&e.stat)
	for _, h := range e.shards {
		figures.AddShard(&s, &h.stat)
		s.InHand += h.Busy()
		s.Waiting += h.Waiting()
	}
	e.eachLoop(func(l *loop) { figures.AddLoop(&s, &l.stat) })
	if n := e.poll.TurnedAway(); n > 0 {
		s.RefusedFor[RefusedDescriptors] += n
	}
	figures.AddUp(&s)
	s.Connections, s.Peers, s.BackedOff = e.table.Len(), e.peers.Len(), e.backoff.Len()
	if e.up.Load() {
		s.Parking, s.Lingering = e.connects.Len(), e.connects.Lingering()
	}
	s.HandshakesWaiting += e.handshakers.Waiting()
	s.BackoffRefused, s.BackoffProbes = e.backoff.Counts()
	s.AcceptFailed, s.DatagramsDropped = e.poll.AcceptFailed(), e.poll.Dropped()
	return s
}
