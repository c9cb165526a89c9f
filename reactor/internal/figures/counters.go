package figures

import (
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/counters"
	"sipreactor/reactor/internal/owed"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// Carried is what one protocol carried on one loop, or one connection at all.
type Carried struct {
	MessagesIn, MessagesOut atomic.Uint64
	BytesIn, BytesOut       atomic.Uint64
}

// Read returns the counts. Any goroutine.
func (t *Carried) Read() Traffic {
	return Traffic{MessagesIn: t.MessagesIn.Load(), MessagesOut: t.MessagesOut.Load(),
		BytesIn: t.BytesIn.Load(), BytesOut: t.BytesOut.Load()}
}

// LoopCounters are written by one loop.
type LoopCounters struct {
	_                   [64]byte
	Carried             [transport.Count]Carried
	Batches, Pings      atomic.Uint64
	Malformed           atomic.Uint64
	Overflow, Dropped   atomic.Uint64
	Bounced             atomic.Uint64
	Late, Drained       atomic.Uint64
	Blocked, Held       atomic.Uint64
	HalfClosed          atomic.Uint64
	SendTimeouts        atomic.Uint64
	Unanswered          atomic.Int64 // requests without a final answer, on connections that are up
	Answered            owed.Window  // final responses that came as datagrams
	Came                owed.Window  // requests that came as datagrams and want an answer
	Accepted            atomic.Uint64
	Established, Dialed atomic.Uint64
	ResumedConnects     atomic.Uint64
	ResumedHandshakes   atomic.Uint64
	Signing             atomic.Int64 // handshakes that wait for a signature now
	Refused             [reason.RefusalCount]atomic.Uint64
	Handshakes          [2]handshakeCounters // accepted, dialled
	_                   [64]byte
}

// handshakeCounters count the handshakes of one direction.
type handshakeCounters struct {
	byVersion [versionCount]atomic.Uint64
	resumed   atomic.Uint64
	Failed    [reason.Count]atomic.Uint64
	took      counters.Histogram
}

// Done counts a TLS handshake that succeeded.
func (c *handshakeCounters) Done(s *tlsstate.State, took time.Duration) {
	c.byVersion[versionIndex(s.Version)].Add(1)
	if s.Resumed {
		c.resumed.Add(1)
	}
	c.took.Add(took)
}

// ShardCounters are written by the workers of one shard.
type ShardCounters struct {
	Waits, Takeovers, WaitersFull atomic.Uint64
	late                          atomic.Uint64
	Datagrams, DatagramBytes      atomic.Uint64
	Asked                         owed.Window // requests that left as datagrams
	Responded                     owed.Window // final responses that left as datagrams
}

// EngineCounters count what is rare, or neither a loop's nor a worker's.
type EngineCounters struct {
	Dials, Undelivered, Postponed    atomic.Uint64
	Returned, Refused, Aborted       atomic.Uint64
	NeverAnswered, Panics            atomic.Uint64
	ParkedConnects, ParkedHandshakes atomic.Uint64
	DialsFailed, Closed              [reason.Count]atomic.Uint64
	Defects, HandshakeDefects        counters.Tally
}
