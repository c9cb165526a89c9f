package reactor

import (
	"sync"
	"sync/atomic"
)

// batch is plaintext that goes out together: messages one behind the other,
// with the end of each.
type batch struct {
	text []byte
	ends []entry
}

// entry is one message of a batch.
type entry struct {
	end  int     // offset behind its last byte
	wire int     // bytes of the sealed batch up to the end of the record with its last byte
	wait *waiter // the sender that still waits for its fate; nil if none
	pong bool    // an answer to a ping: nobody is told if it is lost
	note any     // the sender's, for Undelivered
	asks bool    // a request that is owed an answer
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// keptBatch is the largest array that a batch keeps for the next one. Batches
// are of all sizes, from a message to what gathered behind a slow peer: a pool
// that learns one size for them would have them grow from it again and again.
const keptBatch = 64 << 10

func newBatch() *batch { return batches.Get().(*batch) }

// free gives the batch back. Nobody may hold its bytes any more.
func (b *batch) free() {
	if cap(b.text) > keptBatch {
		b.text = nil
	}
	b.text = b.text[:0]
	clearEntries(b.ends)
	b.ends = b.ends[:0]
	batches.Put(b)
}

func clearEntries(e []entry) {
	for i := range e {
		e[i].wait, e[i].note = nil, nil
	}
}

// message gives the bytes of the i-th message.
func (b *batch) message(i int) []byte {
	start := 0
	if i > 0 {
		start = b.ends[i-1].end
	}
	return b.text[start:b.ends[i].end]
}

// waiter is a sender that waits for the fate of one message. The engine
// settles it or the sender abandons it: whoever is first decides who is told
// of a failure.
type waiter struct {
	state atomic.Uint32
	ch    chan news
}

// news is what a waiting sender hears.
type news struct {
	connected bool // TCP is up, the handshake begins
	err       *Error
}

const (
	waiting uint32 = iota
	settled
	abandoned
)

func newWaiter() *waiter { return &waiter{ch: make(chan news, 2)} }

// settle tells the sender the fate of its message: nil is written. It answers
// false when the sender no longer waits.
func (w *waiter) settle(err *Error) bool {
	if !w.state.CompareAndSwap(waiting, settled) {
		return false
	}
	w.ch <- news{err: err}
	return true
}

// abandon ends the wait without a result; false when there is one already.
func (w *waiter) abandon() bool { return w.state.CompareAndSwap(waiting, abandoned) }

// connected tells the sender that the handshake begins. Called once.
func (w *waiter) connected() {
	if w.state.Load() == waiting {
		w.ch <- news{connected: true}
	}
}

// outbox is what is to be written on one connection. The connection's lock
// guards it, but for flight, which the loop owns.
type outbox struct {
	box  *batch // appended to by workers
	held int    // messages in flight that the socket has not taken
	full bool   // a message was refused since the socket takes nothing more
	// flight is the batch whose bytes the codec has, kept until they are
	// written so that none is lost without a trace.
	flight *batch
	taken  int // bytes of the sealed flight that the socket has
	count  int // messages of flight that are written
}

// waitingCount is how many messages wait. The lock is held.
func (o *outbox) waitingCount() int {
	n := o.held
	if o.box != nil {
		n += len(o.box.ends)
	}
	return n
}

// What may wait for the loop while the socket takes bytes: a burst of all shards.
// With that the loop cannot keep up.
const (
	boxMessages = 4096
	boxBytes    = 2 << 20
	// replyBytes is what of replies may wait for a client that reads slower than
	// it asks, however many those are. It is not read once swampedAt of them wait,
	// but what it has asked before may be answered late, and all at once.
	replyBytes = 2 * boxBytes
)

// room tells whether another message may wait; owed, that the peer waits for
// replies on an established connection; ready, that the message waits for the loop only, else
// for the peer. What belongs to something that has begun finds as much room again as
// what begins something, and replies that are owed more: nobody can repeat one
// that is refused. The lock is held.
func (o *outbox) room(class Class, owed, ready bool, postponed int) bool {
	messages, bytes := postponed, boxBytes
	if class == Final && owed && postponed > 0 && (o.box == nil || len(o.box.text) < replyBytes) {
		return true
	}
	if ready {
		messages = max(postponed, boxMessages)
	}
	if class.urgent() {
		messages, bytes = 2*messages, 2*bytes
	}
	return o.waitingCount() < messages && (o.box == nil || len(o.box.text) < bytes)
}

// entry is what a send queue notes of a message to the target.
func (t *Target) entry(w *waiter) entry {
	return entry{wait: w, note: t.Note, asks: t.Class.asks()}
}

// add appends a message. The lock is held.
func (o *outbox) add(m Appender, e entry) {
	if o.box == nil {
		o.box = newBatch()
	}
	b := o.box
	b.text = m.AppendTo(b.text)
	e.end = len(b.text)
	b.ends = append(b.ends, e)
}

// removeLast takes the message out that was added last. The lock is held.
func (o *outbox) removeLast() {
	b := o.box
	last := len(b.ends) - 1
	if last == 0 {
		o.box = nil
		b.free()
		return
	}
	b.ends[last] = entry{}
	b.ends = b.ends[:last]
	b.text = b.text[:b.ends[last-1].end]
}

// recordSize is how much plaintext a full TLS record holds (RFC 8446 5.1).
const recordSize = 16384

// launch makes b the flight, which came to so many bytes sealed, and notes
// where in those each message ends. Loop only.
//
// A message is written, or acknowledged, when the record with its last byte is:
// every record but the last is full, so the overhead is the same for each.
func (o *outbox) launch(b *batch, sealed int) {
	o.flight, o.taken, o.count = b, 0, 0
	plain := len(b.text)
	overhead := 0
	if records := (plain + recordSize - 1) / recordSize; records > 0 {
		overhead = (sealed - plain) / records
	}
	for i := range b.ends {
		e := &b.ends[i]
		switch {
		case overhead == 0:
			e.wire = e.end
		default:
			e.wire = min(sealed, (e.end+recordSize-1)/recordSize*(recordSize+overhead))
		}
	}
}

// advance notes that the socket took n more bytes of flight, settles the
// messages that are wholly written and gives those. Loop only.
func (o *outbox) advance(n int) []entry {
	o.taken += n
	b, from := o.flight, o.count
	for o.count < len(b.ends) && b.ends[o.count].wire <= o.taken {
		if e := &b.ends[o.count]; e.wait != nil {
			e.wait.settle(nil)
			e.wait = nil
		}
		o.count++
	}
	return b.ends[from:o.count]
}
