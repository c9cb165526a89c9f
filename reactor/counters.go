package reactor

import (
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/counters"
	"sipreactor/reactor/internal/owed"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// Counters cost no core another's cache line where messages pass: a loop counts
// in its own loopCounters, a worker in its shard's, and a connection's traffic
// is its loop's to count. Stats adds up. What happens once a connection, or less
// often than that, is counted in engineCounters.

// traffic is what one protocol carried on one loop, or one connection at all.
type traffic struct {
	messagesIn, messagesOut atomic.Uint64
	bytesIn, bytesOut       atomic.Uint64
}

func (t *traffic) read() Traffic {
	return Traffic{MessagesIn: t.messagesIn.Load(), MessagesOut: t.messagesOut.Load(),
		BytesIn: t.bytesIn.Load(), BytesOut: t.bytesOut.Load()}
}

// loopCounters are written by one loop.
type loopCounters struct {
	_                   [64]byte
	carried             [transport.Count]traffic
	batches, pings      atomic.Uint64
	malformed           atomic.Uint64
	overflow, dropped   atomic.Uint64
	bounced             atomic.Uint64
	late, drained       atomic.Uint64
	blocked, held       atomic.Uint64
	halfClosed          atomic.Uint64
	sendTimeouts        atomic.Uint64
	unanswered          atomic.Int64 // requests without a final answer, on connections that are up
	answered            owed.Window  // final responses that came as datagrams
	came                owed.Window  // requests that came as datagrams and want an answer
	accepted            atomic.Uint64
	established, dialed atomic.Uint64
	resumedConnects     atomic.Uint64
	resumedHandshakes   atomic.Uint64
	signing             atomic.Int64 // handshakes that wait for a signature now
	refused             [refusalCount]atomic.Uint64
	handshakes          [2]handshakeCounters // accepted, dialled
	_                   [64]byte
}

// handshakeCounters count the handshakes of one direction.
type handshakeCounters struct {
	byVersion [versionCount]atomic.Uint64
	resumed   atomic.Uint64
	failed    [reasonCount]atomic.Uint64
	took      counters.Histogram
}

// done counts a TLS handshake that succeeded.
func (c *handshakeCounters) done(s *tlsstate.State, took time.Duration) {
	c.byVersion[versionIndex(s.Version)].Add(1)
	if s.Resumed {
		c.resumed.Add(1)
	}
	c.took.Add(took)
}

// shardCounters are written by the workers of one shard.
type shardCounters struct {
	waits, takeovers, waitersFull atomic.Uint64
	late                          atomic.Uint64
	datagrams, datagramBytes      atomic.Uint64
	asked                         owed.Window // requests that left as datagrams
	replied                       owed.Window // final responses that left as datagrams
}

// engineCounters count what is rare, or neither a loop's nor a worker's.
type engineCounters struct {
	dials, undelivered, postponed    atomic.Uint64
	returned, refused, aborted       atomic.Uint64
	neverAnswered, panics            atomic.Uint64
	parkedConnects, parkedHandshakes atomic.Uint64
	dialsFailed, closed              [reasonCount]atomic.Uint64
	defects, handshakeDefects        counters.Tally
}
