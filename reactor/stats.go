package reactor

import "sync/atomic"

// loopCounters are written by one loop, so that no core waits for another's
// cache line; Stats adds them up.
type loopCounters struct {
	accepted, refused, established        atomic.Uint64
	handshakes, handshakesFailed, resumed atomic.Uint64
	messagesIn, messagesOut, batches      atomic.Uint64
	bytesIn, bytesOut                     atomic.Uint64
	pings, malformed, overflow, dropped   atomic.Uint64
	blocked, sendTimeouts                 atomic.Uint64
	_                                     [64]byte
}

// engineCounters count what is rare, or not a loop's.
type engineCounters struct {
	dials, parked, undelivered, datagramsOut atomic.Uint64
	takeovers, waitersFull                   atomic.Uint64
	closed                                   [reasonCount]atomic.Uint64
}

// Stats is what the engine has counted since it was made, and what it holds.
type Stats struct {
	Accepted, Refused, Established        uint64
	Handshakes, HandshakesFailed, Resumed uint64
	MessagesIn, MessagesOut, Batches      uint64 // whole messages; batches of them that were sealed together
	BytesIn, BytesOut                     uint64 // of the sockets
	Pings, Malformed                      uint64 // pings answered; streams whose framing was lost
	Overflow, Dropped                     uint64 // messages no shard had room for; of those, dropped without an answer
	Blocked, SendTimeouts                 uint64
	Dials, Parked, Undelivered            uint64
	DatagramsOut                          uint64
	Takeovers, WaitersFull                uint64
	Closed                                map[Reason]uint64

	Connections, Parking, Peers int // in the table; connects in the parking lot; known end points
}

// Stats adds the counters up. It takes microseconds; not for a loop.
func (e *Engine) Stats() Stats {
	s := Stats{
		Dials:        e.stat.dials.Load(),
		Parked:       e.stat.parked.Load(),
		Undelivered:  e.stat.undelivered.Load(),
		DatagramsOut: e.stat.datagramsOut.Load(),
		Takeovers:    e.stat.takeovers.Load(),
		WaitersFull:  e.stat.waitersFull.Load(),
		Closed:       make(map[Reason]uint64),
		Connections:  int(e.table.live.Load()),
		Parking:      e.lot.size(),
		Peers:        e.peers.size(),
	}
	for r := range e.stat.closed {
		if n := e.stat.closed[r].Load(); n > 0 {
			s.Closed[Reason(r)] = n
		}
	}
	e.loopsMu.Lock()
	defer e.loopsMu.Unlock()
	for _, l := range e.loops {
		c := &l.stat
		for _, sum := range [...]struct {
			to   *uint64
			from *atomic.Uint64
		}{
			{&s.Accepted, &c.accepted}, {&s.Refused, &c.refused}, {&s.Established, &c.established},
			{&s.Handshakes, &c.handshakes}, {&s.HandshakesFailed, &c.handshakesFailed}, {&s.Resumed, &c.resumed},
			{&s.MessagesIn, &c.messagesIn}, {&s.MessagesOut, &c.messagesOut}, {&s.Batches, &c.batches},
			{&s.BytesIn, &c.bytesIn}, {&s.BytesOut, &c.bytesOut},
			{&s.Pings, &c.pings}, {&s.Malformed, &c.malformed}, {&s.Overflow, &c.overflow}, {&s.Dropped, &c.dropped},
			{&s.Blocked, &c.blocked}, {&s.SendTimeouts, &c.sendTimeouts},
		} {
			*sum.to += sum.from.Load()
		}
	}
	return s
}
