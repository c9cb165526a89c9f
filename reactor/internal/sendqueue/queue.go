package sendqueue

import "sync"

// Batch is plaintext that goes out together: messages one behind the other, with
// the end of each.
type Batch struct {
	Text []byte
	Ends []Entry

	pongs int // of Ends
}

// Entry is one message of a batch.
type Entry struct {
	Begin, End int     // offsets of its first byte, and behind its last one
	Wire       int     // bytes of the sealed batch up to the end of the record with its last byte
	Wait       *Waiter // the sender that still waits for its fate; nil if none
	Pong       bool    // an answer to a ping: nobody is told if it is lost
	Note       any     // the sender's, for Undelivered
	Asks       bool    // a request that is owed an answer
}

var batches = sync.Pool{New: func() any { return new(Batch) }}

// keptBatch is the largest array that a batch keeps for the next one. Batches
// are of all sizes, from a message to what gathered behind a slow peer: a pool
// that learns one size for them would have them grow from it again and again.
const keptBatch = 64 << 10

func newBatch() *Batch { return batches.Get().(*Batch) }

// Free gives the batch back. Nobody may hold its bytes any more.
func (b *Batch) Free() {
	if cap(b.Text) > keptBatch {
		b.Text = nil
	}
	b.Text = b.Text[:0]
	clearEntries(b.Ends)
	b.Ends, b.pongs = b.Ends[:0], 0
	batches.Put(b)
}

func clearEntries(e []Entry) {
	for i := range e {
		e[i].Wait, e[i].Note = nil, nil
	}
}

// Message returns the bytes of the i-th message.
func (b *Batch) Message(i int) []byte {
	return b.Text[b.Ends[i].Begin:b.Ends[i].End]
}

// Framing is how messages stand in a stream that does not tell their ends by itself.
type Framing interface {
	// Open leaves room for what stands before a message behind what is there.
	Open(text []byte) []byte
	// Close writes what stands before the message that was opened at from, and returns
	// where that begins.
	Close(text []byte, from int) (out []byte, begin int)
	// Turn masks a message, text[begin:end], or takes the mask off again.
	Turn(text []byte, begin, end int)
}

// Queue is what waits to be written on one connection, whose lock guards it. The zero
// value is empty.
type Queue struct {
	Waiting *Batch // nil = nothing waits
	Blocked int    // messages in flight that the socket has not taken
	Full    bool   // a message was refused since the socket takes nothing more
	// Framing frames the messages; nil: they stand one behind the other. It is set
	// before the first of them.
	Framing Framing
}

// Len returns how many messages wait; an answer to a ping is none. The lock is held.
func (o *Queue) Len() int {
	n := o.Blocked
	if o.Waiting != nil {
		n += len(o.Waiting.Ends) - o.Waiting.pongs
	}
	return n
}

// Pongs reports whether an answer to a ping waits. The lock is held.
func (o *Queue) Pongs() bool { return o.Waiting != nil && o.Waiting.pongs > 0 }

// What may wait for the loop while the socket takes bytes: a burst of all shards.
// With that the loop cannot keep up.
const (
	queueMessages = 4096
	QueueBytes    = 2 << 20 // twice that for what belongs to something that has begun
	// responseBytes is what of responses may wait for a client that reads slower than
	// it asks, however many those are. It is not read once so many of them wait that reading pauses,
	// but what it has asked before may be answered late, and all at once.
	responseBytes = 2 * QueueBytes
)

// Room reports whether another message may wait. begun tells that it belongs to something that
// has begun, final that it needs no answer, owed, that the peer waits for
// responses on an established connection; ready, that the message waits for the loop only, else
// for the peer. What belongs to something that has begun finds as much room again as
// what begins something, and responses that are owed more: nobody can repeat one
// that is refused. The lock is held.
func (o *Queue) Room(begun, final, owed, ready bool, postponed int) bool {
	messages, bytes := postponed, QueueBytes
	if final && owed && postponed > 0 && (o.Waiting == nil || len(o.Waiting.Text) < responseBytes) {
		return true
	}
	if ready {
		messages = max(postponed, queueMessages)
	}
	if begun {
		messages, bytes = 2*messages, 2*bytes
	}
	return o.Len() < messages && (o.Waiting == nil || len(o.Waiting.Text) < bytes)
}

// Appender writes a message behind dst and returns the longer slice.
type Appender interface {
	AppendTo(dst []byte) []byte
}

// Add appends a message. The lock is held.
func (o *Queue) Add(m Appender, e Entry) {
	b := o.Waiting
	if b == nil {
		b = newBatch()
	}
	e.Begin = len(b.Text)
	if o.Framing == nil {
		b.Text = m.AppendTo(b.Text)
	} else {
		b.Text = m.AppendTo(o.Framing.Open(b.Text))
		b.Text, e.Begin = o.Framing.Close(b.Text, e.Begin)
	}
	e.End = len(b.Text)
	b.Ends = append(b.Ends, e)
	if e.Pong {
		b.pongs++
	}
	o.Waiting = b // last: behind a panic of the Appender the queue is what it was
}

// AddRaw appends bytes of the framing's own, of whose fate nobody is told. The lock is
// held.
func (o *Queue) AddRaw(text []byte) {
	if o.Waiting == nil {
		o.Waiting = newBatch()
	}
	b := o.Waiting
	b.Text = append(b.Text, text...)
	b.Ends = append(b.Ends, Entry{Begin: len(b.Text), End: len(b.Text), Pong: true})
	b.pongs++
}

// Turn masks the messages of a batch that is about to be sealed, or takes the masks
// off again, for those that may have to be given back. Loop only.
func (o *Queue) Turn(b *Batch) {
	if o.Framing == nil {
		return
	}
	for i := range b.Ends {
		o.Framing.Turn(b.Text, b.Ends[i].Begin, b.Ends[i].End)
	}
}

// RemoveLast takes the message out that was added last, which is no answer to a ping. The
// lock is held.
func (o *Queue) RemoveLast() {
	b := o.Waiting
	last := len(b.Ends) - 1
	if last == 0 {
		o.Waiting = nil
		b.Free()
		return
	}
	b.Ends[last] = Entry{}
	b.Ends = b.Ends[:last]
	b.Text = b.Text[:b.Ends[last-1].End]
}
