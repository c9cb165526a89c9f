package sendqueue

import (
	"sync"
	"time"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/sipframe"
)

// Unacknowledged is what was written on a connection and is not known to be
// acknowledged by the peer's TCP: copies of the messages, with the count of
// wire bytes at which each ends. What was not acknowledged when the connection
// ends was not delivered, and is given back.
//
// The kernel is not asked for each message, but when much is kept, and once a
// second. What may be kept is bounded by what the kernel takes: what it holds
// unsent and what is in flight. The zero value has nothing.
type Unacknowledged struct {
	first, last *kept
	bytes       int    // of plaintext that are kept
	ask         int    // with more than that, the kernel is asked
	acked       uint64 // of what was sent, acknowledged when the kernel was last asked

	Sent  uint64 // bytes that the socket took, those of the handshake too
	Since int64  // from when on nothing more was acknowledged, on the owner's clock
	// Unconfirmed keeps what is acknowledged as well: the peer may still refuse us,
	// and with that all that came behind.
	Unconfirmed bool
}

// kept is a piece of it: messages one behind the other.
type kept struct {
	buf   *sipframe.Buffer
	marks []Mark
	gone  int // of marks, that are acknowledged
	next  *kept
}

// Mark is the end of a message.
type Mark struct {
	end  int    // offset behind its last byte
	Wire uint64 // wire bytes of the connection up to the record with its last byte
	Asks bool   // a request that is owed an answer
	Note any    // the sender's
}

var keptPool = sync.Pool{New: func() any { return new(kept) }}

const (
	// askBytes is how much is kept before the kernel is asked for the first time.
	askBytes = 64 << 10
	// keptLeast and keptMost are how large a piece is made for small messages:
	// most connections have one of them on the way.
	keptLeast, keptMost = 2 << 10, 16 << 10
)

// Keep takes a copy of a message that is wholly written.
func (u *Unacknowledged) Keep(text []byte, m Mark) {
	k := u.last
	if k == nil || len(k.buf.Free()) < len(text) {
		k = keptPool.Get().(*kept)
		k.buf = sipframe.NewBuffer(max(len(text), min(max(u.bytes, keptLeast), keptMost)))
		if u.last == nil {
			u.first = k
		} else {
			u.last.next = k
		}
		u.last = k
	}
	k.buf.Advance(copy(k.buf.Free(), text))
	m.end = len(k.buf.Bytes())
	k.marks = append(k.marks, m)
	u.bytes += len(text)
}

// message gives the i-th message.
func (k *kept) message(i int) []byte {
	start := 0
	if i > 0 {
		start = k.marks[i-1].end
	}
	return k.buf.Bytes()[start:k.marks[i].end]
}

// Forget lets go of what is acknowledged.
func (u *Unacknowledged) Forget() {
	for k := u.first; k != nil; k = u.first {
		for ; k.gone < len(k.marks); k.gone++ {
			if k.marks[k.gone].Wire > u.acked {
				return
			}
			u.bytes -= len(k.message(k.gone))
		}
		u.drop(k)
	}
}

// drop lets go of the first piece.
func (u *Unacknowledged) drop(k *kept) {
	if u.first = k.next; u.first == nil {
		u.last = nil
	}
	k.buf.Release()
	for i := range k.marks {
		k.marks[i].Note = nil
	}
	*k = kept{marks: k.marks[:0]}
	keptPool.Put(k)
}

// Bytes returns how much plaintext is kept.
func (u *Unacknowledged) Bytes() int { return u.bytes }

// Empty reports whether nothing is kept.
func (u *Unacknowledged) Empty() bool { return u.first == nil }

// Asks reports whether there is a request among what is unacknowledged.
func (u *Unacknowledged) Asks() bool {
	for k := u.first; k != nil; k = k.next {
		for i := k.gone; i < len(k.marks); i++ {
			if k.marks[i].Asks && k.marks[i].Wire > u.acked {
				return true
			}
		}
	}
	return false
}

// Much reports whether so much is kept that the kernel is to be asked.
func (u *Unacknowledged) Much() bool { return u.bytes > max(u.ask, askBytes) }

// Update is told how many bytes that were sent are not acknowledged, lets go of
// what is, and reports whether there is progress.
func (u *Unacknowledged) Update(out int) (progress bool) {
	if acked := u.Sent - min(uint64(out), u.Sent); acked > u.acked {
		u.acked, progress = acked, true
	}
	if !u.Unconfirmed {
		u.Forget()
	}
	u.ask = max(askBytes, 2*u.bytes)
	return progress
}

// Ask asks the kernel what of a socket is acknowledged, and lets go of that. It
// returns how many bytes are not, and whether there is progress.
func (u *Unacknowledged) Ask(fd int) (out int, progress bool) {
	out, err := kernel.Unacknowledged(fd)
	if err != nil {
		return 0, false
	}
	return out, u.Update(out)
}

// LookEvery is how often the owner asks at least.
const LookEvery = time.Second

// Moves notes progress: the last acknowledgement came so long ago. What is left may be
// younger than that, where nobody looked for a while: no more is held against the peer
// than the time between two looks.
func (u *Unacknowledged) Moves(now int64, ago time.Duration) {
	u.Since = max(u.Since, now-int64(min(ago, LookEvery)))
}

// Stopped leaves out a time in which nobody could look.
func (u *Unacknowledged) Stopped(now int64, d time.Duration) {
	u.Since = min(now, u.Since+int64(d))
}

// Take hands what is kept to f, the oldest first, and lets go of it.
func (u *Unacknowledged) Take(f func(text []byte, m *Mark)) {
	for k := u.first; k != nil; k = u.first {
		for i := k.gone; i < len(k.marks); i++ {
			f(k.message(i), &k.marks[i])
		}
		u.drop(k)
	}
	u.bytes = 0
}
