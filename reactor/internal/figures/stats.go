package figures

import (
	"slices"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/counters"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// Traffic is what was carried. Bytes are those of the sockets, with TLS'
// overhead; messages are whole ones, pings left out.
type Traffic struct {
	MessagesIn, MessagesOut uint64
	BytesIn, BytesOut       uint64
}

// Histogram counts durations by their length.
type Histogram struct {
	// Bounds are the upper bounds of the buckets, in rising order; Counts has one
	// more, for what is longer. Neither is cumulative.
	Bounds []time.Duration
	Counts []uint64
	Sum    time.Duration
}

// Handshakes are those of one direction: TLS's, and WebSocket's where they fail.
type Handshakes struct {
	// Done counts those that succeeded, by version as OpenSSL writes it; every
	// version there is has an entry.
	Done    map[string]uint64
	Resumed uint64 // of those, with a session ticket
	// Failed counts the others by the reason that the connection ended with.
	Failed map[reason.Reason]uint64
	// Took is how long those that succeeded took, the peer's time included.
	Took Histogram
}

// Stats is what the engine has counted since it was made, and what it holds.
type Stats struct {
	Accepted, Refused, Established        uint64
	Handshakes, HandshakesFailed, Resumed uint64 // of both directions
	MessagesIn, MessagesOut, Batches      uint64 // whole messages; batches of them that were sealed together
	BytesIn, BytesOut                     uint64 // of the sockets
	Pings, Malformed                      uint64 // pings answered; streams whose framing was lost
	Overflow, Dropped                     uint64 // messages no shard had room for; of those, dropped without an answer
	Late                                  uint64 // requests refused because what waited was too old
	Drained                               uint64 // requests refused because the engine ends
	Blocked, SendTimeouts                 uint64
	Held                                  uint64 // times a connection was not read for what it had in hand
	AcceptFailed                          uint64 // times that the system let no connection be accepted
	HalfClosed                            uint64 // connections that lived on for responses when the peer had closed its half
	Undelivered                           uint64
	// Returned are messages that count in MessagesOut and that the peer had not
	// acknowledged when their connection ended: they were given back, and count in
	// Undelivered too. Aborted are the connections that were reset for that, or for
	// what waited.
	Returned, Aborted uint64
	// QueueFull are messages that were refused because too many waited for their
	// connection, which lives on.
	QueueFull uint64
	// Unanswered are the requests that were written and have had no final response
	// by their connection; NeverAnswered those of connections that have ended.
	Unanswered, NeverAnswered uint64
	// Panics counts those that were rescued: of the Handler, of an event loop over a
	// connection, of a handshake, of the Observer.
	Panics       uint64
	DatagramsOut uint64
	// DatagramsDropped are those that came and found no room in their socket's receive
	// buffer (maxbuffer), DatagramsBounced those that the network said could not be
	// delivered.
	DatagramsDropped, DatagramsBounced uint64
	Closed                             map[reason.Reason]uint64

	// Carried is the traffic by protocol, indexed by Proto.
	Carried [transport.Count]Traffic
	// RefusedFor counts Refused by cause, Defects counts Malformed by the reason
	// phrase of what was wrong: sipframe's, a fixed set.
	RefusedFor map[reason.Refusal]uint64
	Defects    map[string]uint64

	// HandshakesIn are those of accepted connections, HandshakesOut those of ours.
	HandshakesIn, HandshakesOut Handshakes
	// HandshakeDefects counts failed handshakes of both directions by what the TLS
	// layer or WebSocket's opening handshake says: a fixed set. Handshakes that ended for
	// another reason, such as a timeout, are not among them.
	HandshakeDefects map[string]uint64

	// Dials are the connects begun, Dialed those that were done, DialsFailed the
	// rest by reason, but for those that are under way.
	Dials, Dialed uint64
	DialsFailed   map[reason.Reason]uint64
	// Parked are senders that went on while their connection was not up: while it
	// connected or while it shook hands. Resumed are such that came up after all.
	Parked                              uint64
	ParkedConnects, ResumedConnects     uint64
	ParkedHandshakes, ResumedHandshakes uint64
	// Postponed are messages that had to wait for a connection: for a connect, a
	// handshake or a peer that takes nothing.
	Postponed uint64

	// Waits are a worker's waits, Takeovers those in which another took its shard
	// over, WaitersFull those that were refused because too many waited.
	Waits, Takeovers, WaitersFull uint64

	// BackedOff are the destinations that are left alone at the moment, BackoffRefused
	// the messages that were not given to one, BackoffProbes the connections that
	// were opened to see whether one is back.
	BackedOff                     int
	BackoffRefused, BackoffProbes uint64

	Connections, Parking, Peers int // in the table; connects in the connect queue; known end points
	Lingering                   int // sockets of ended connections whose peer is still to get the rest
	HandshakesWaiting           int // machines that wait for a handshaker, or for a signature
	InHand                      int // messages that wait for a worker or are with one
	Waiting                     int // workers that wait at the moment
}

// The numbers of TLS versions (RFC 8446 4.2.1); versionCount makes arrays that
// versionIndex indexes.
const (
	tls10, tls13 = 0x0301, 0x0304
	versionCount = tls13 - tls10 + 1
)

// versionIndex numbers TLS versions, from 1.0.
func versionIndex(v uint16) int {
	return int(min(max(v, tls10), tls13) - tls10)
}

func versionName(i int) string {
	return (&tlsstate.State{Version: tls10 + uint16(i)}).VersionName()
}

// Begin returns what an engine has counted beside its loops and shards: addShard and
// AddLoop add theirs, addUp then makes the sums.
func Begin(c *EngineCounters) Stats {
	s := Stats{
		DialsFailed:      byReason(&c.DialsFailed),
		Closed:           byReason(&c.Closed),
		Defects:          c.Defects.Counts(),
		HandshakeDefects: c.HandshakeDefects.Counts(),
		RefusedFor:       make(map[reason.Refusal]uint64),
		HandshakesIn:     newHandshakes(),
		HandshakesOut:    newHandshakes(),
	}
	for i := range All {
		if f := &All[i]; f.engine != nil {
			f.sum(&s, f.engine(c))
		}
	}
	return s
}

// AddShard adds what a shard's workers have counted.
func AddShard(s *Stats, c *ShardCounters) {
	for i := range All {
		if f := &All[i]; f.shard != nil {
			f.sum(s, f.shard(c))
		}
	}
	n := c.Datagrams.Load()
	s.DatagramsOut += n
	s.Carried[transport.UDP].MessagesOut += n
	s.Carried[transport.UDP].BytesOut += c.DatagramBytes.Load()
}

// AddLoop adds what a loop has counted.
func AddLoop(s *Stats, c *LoopCounters) {
	for i := range All {
		if f := &All[i]; f.loop != nil {
			f.sum(s, f.loop(c))
		}
	}
	s.HandshakesWaiting += int(c.Signing.Load())
	s.Unanswered += uint64(max(c.Unanswered.Load(), 0))
	for p := range c.Carried {
		t := c.Carried[p].Read()
		sum := &s.Carried[p]
		sum.MessagesIn += t.MessagesIn
		sum.MessagesOut += t.MessagesOut
		sum.BytesIn += t.BytesIn
		sum.BytesOut += t.BytesOut
	}
	for r := range c.Refused {
		if n := c.Refused[r].Load(); n > 0 {
			s.RefusedFor[reason.Refusal(r)] += n
		}
	}
	c.Handshakes[0].addTo(&s.HandshakesIn)
	c.Handshakes[1].addTo(&s.HandshakesOut)
}

// AddUp makes the figures that others add up to.
func AddUp(s *Stats) {
	s.Parked = s.ParkedConnects + s.ParkedHandshakes
	for _, t := range s.Carried {
		s.MessagesIn += t.MessagesIn
		s.MessagesOut += t.MessagesOut
		s.BytesIn += t.BytesIn
		s.BytesOut += t.BytesOut
	}
	for _, n := range s.RefusedFor {
		s.Refused += n
	}
	for _, h := range [...]*Handshakes{&s.HandshakesIn, &s.HandshakesOut} {
		for _, n := range h.Done {
			s.Handshakes += n
		}
		for _, n := range h.Failed {
			s.HandshakesFailed += n
		}
		s.Resumed += h.Resumed
	}
}

func (c *handshakeCounters) addTo(h *Handshakes) {
	for i := range c.byVersion {
		h.Done[versionName(i)] += c.byVersion[i].Load()
	}
	h.Resumed += c.resumed.Load()
	for r := range c.Failed {
		if n := c.Failed[r].Load(); n > 0 {
			h.Failed[reason.Reason(r)] += n
		}
	}
	h.Took.Sum += c.took.AddTo(h.Took.Counts)
}

func newHandshakes() Handshakes {
	return Handshakes{Done: make(map[string]uint64, versionCount), Failed: make(map[reason.Reason]uint64),
		Took: Histogram{Bounds: slices.Clone(counters.Bounds[:]), Counts: make([]uint64, len(counters.Bounds)+1)}}
}

// byReason reads counters, leaving out those at 0.
func byReason(counters *[reason.Count]atomic.Uint64) map[reason.Reason]uint64 {
	all := make(map[reason.Reason]uint64)
	for r := range counters {
		if n := counters[r].Load(); n > 0 {
			all[reason.Reason(r)] = n
		}
	}
	return all
}
