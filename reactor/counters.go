package reactor

import (
	"errors"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/owed"
	"sipreactor/reactor/internal/phase"
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
	carried             [protoCount]traffic
	batches, pings      atomic.Uint64
	malformed           atomic.Uint64
	overflow, dropped   atomic.Uint64
	late, drained       atomic.Uint64
	blocked, held       atomic.Uint64
	halfClosed          atomic.Uint64
	sendTimeouts        atomic.Uint64
	unanswered          atomic.Int64 // requests without a final answer, on connections that are up
	answered            owed.Window  // final responses that came as datagrams
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
	took      histogram
}

// shardCounters are written by the workers of one shard.
type shardCounters struct {
	waits, takeovers, waitersFull atomic.Uint64
	late                          atomic.Uint64
	datagrams, datagramBytes      atomic.Uint64
	asked                         owed.Window // requests that left as datagrams
}

// engineCounters count what is rare, or neither a loop's nor a worker's.
type engineCounters struct {
	dials, undelivered, postponed    atomic.Uint64
	returned, refused, aborted       atomic.Uint64
	neverAnswered                    atomic.Uint64
	parkedConnects, parkedHandshakes atomic.Uint64
	dialsFailed, closed              [reasonCount]atomic.Uint64
	defects, handshakeDefects        Tally
}

// side numbers the direction of a connection for arrays of two.
func (s *Source) side() int {
	if s.Outbound {
		return 1
	}
	return 0
}

// handshook counts a handshake that succeeded. Loop only.
func (c *conn) handshook(s *tlsstate.State, took time.Duration) {
	n := &c.loop.stat.handshakes[c.src.side()]
	n.byVersion[versionIndex(s.Version)].Add(1)
	if s.Resumed {
		n.resumed.Add(1)
	}
	n.took.add(took)
	c.mu.Lock()
	c.tls.took = took
	c.mu.Unlock()
}

// unpark tells whether a sender did not wait for the end of a phase, or of one
// before, and forgets it. The connection's lock is held.
func (c *conn) unpark(from phase.Phase) bool {
	waited := c.parked != 0 && c.parked <= from+1
	if waited {
		c.parked = 0
	}
	return waited
}

// countFailure counts a connection that ended before it was established. Owner
// only, at its end.
func (c *conn) countFailure(was phase.Phase, why *Error) {
	switch {
	case was < phase.Handshaking:
		c.eng.stat.dialsFailed[why.Reason].Add(1)
	case was == phase.Handshaking:
		var t *tlsstate.Error
		if errors.As(why, &t) {
			c.eng.stat.handshakeDefects.Add(t.Reason)
		}
		c.loop.stat.handshakes[c.src.side()].failed[why.Reason].Add(1)
	}
}

// bounds are the upper bounds of a histogram's buckets but the last, which has
// none. A handshake takes a millisecond on one machine, two round trips on a
// path, and seconds with a peer that is nearly dead.
var bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// histogram counts durations. One goroutine writes, any may read.
type histogram struct {
	buckets [len(bounds) + 1]atomic.Uint64
	sum     atomic.Int64
}

func (h *histogram) add(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// addTo adds what was counted to a sum.
func (h *histogram) addTo(sum *Histogram) {
	for i := range h.buckets {
		sum.Counts[i] += h.buckets[i].Load()
	}
	sum.Sum += time.Duration(h.sum.Load())
}
