// Package reading is whether a connection is read, and what keeps it from that: what it has
// in hand, what it brought beyond that, and answers to it that have no room.
package reading

import "sync/atomic"

const (
	// HoldAt is how many messages in hand end the reading of a connection, and
	// holdUntil how few of them let it go on.
	HoldAt, holdUntil = 128, 32
	// LowPriorityAt is from how many in hand on a connection's messages join the
	// low-priority queue.
	LowPriorityAt = 16
)

// Reading is that of one connection. Its loop owns it; Taken, Handled, Waits, Here, Low, LowPriority,
// InHand and Held are for any goroutine. The zero Reading reads.
//
//	           is set                                        and cleared
//	in hand    by each message that a shard has              when its Handler is done, or waits
//	waiting    by each whose Handler waits                   when it is done
//	low        by those in a low-priority queue              when they leave it
//	held       Hold: one of the next three, or much in hand  Resume: when none of them is left
//	  paused   Hold, of a read with an excess                Room: the shards have room again
//	  swamped  Hold, while answers have no room              Unswamp: they are taken, or not for too long
//	excess     Exceed: a read brought too many new requests  Hold, behind that read
//	overloads  Exceed                                        Calm: the overload is over
//	over       End: framing is lost, or the end is near      never
//	detached   Detach: no loop has the descriptor any more   never
type Reading struct {
	inHand  atomic.Int32
	waiting atomic.Int32
	low     atomic.Int32
	held    atomic.Bool

	paused, swamped   bool
	excess, overloads bool
	over, detached    bool

	// Full is when the last read began, if that has left something unread; 0: it has not.
	Full int64
	// AnswersWait is the note of admission.Policy that answers wait on the connection.
	AnswersWait bool
}

// Taken counts a message that a shard is to have.
func (r *Reading) Taken() { r.inHand.Add(1) }

// Handled takes a message out of the count, and reports whether the loop is to Resume.
func (r *Reading) Handled() bool { return r.inHand.Add(-1) == holdUntil && r.held.Load() }

// InHand returns how many messages shards or the Handler have, without those that wait.
func (r *Reading) InHand() int { return int(r.inHand.Load()) }

// Waits counts n messages, below 0 too, whose Handler waits. One that begins to wait is counted before it is
// Handled.
func (r *Reading) Waits(n int) { r.waiting.Add(int32(n)) }

// Here reports whether some message is not done: in hand, or waiting.
func (r *Reading) Here() bool { return r.inHand.Load() != 0 || r.waiting.Load() != 0 }

// Low counts n of them, below 0 too, that are in a low-priority queue.
func (r *Reading) Low(n int) { r.low.Add(int32(n)) }

// LowPriority reports whether the next messages join the low-priority queue: behind what is
// there of the connection, or because there are many.
func (r *Reading) LowPriority() bool { return r.low.Load() > 0 || r.inHand.Load() > LowPriorityAt }

// Exceed notes that the read under way brought new requests that are too many.
func (r *Reading) Exceed() { r.excess, r.overloads = true, true }

// Exceeds reports whether it did.
func (r *Reading) Exceeds() bool { return r.excess }

// Overloads reports whether a read did since the last Calm.
func (r *Reading) Overloads() bool { return r.overloads }

// Calm notes that there is no overload any more.
func (r *Reading) Calm() { r.overloads = false }

// Held reports whether it is not read.
func (r *Reading) Held() bool { return r.held.Load() }

// Hold is the end of a read. It reports whether the connection is not read from here on;
// excess: for what it brought, so that it goes on by Room. swamped: it has answers that have
// no room. The caller calls WorkedOff behind it.
func (r *Reading) Hold(swamped bool) (held, excess bool) {
	excess, r.excess = r.excess, false
	if r.held.Load() || !excess && !swamped && r.inHand.Load() < HoldAt {
		return false, false
	}
	r.held.Store(true)
	r.paused, r.swamped = excess, swamped
	return true, excess
}

// Resume has it read again, unless something keeps it from that. It reports whether it was
// held and is not any more.
func (r *Reading) Resume() bool { return !r.paused && !r.swamped && r.held.CompareAndSwap(true, false) }

// WorkedOff is Resume where what was in hand has been worked off meanwhile, perhaps before
// Handled saw that it is held.
func (r *Reading) WorkedOff() bool { return r.inHand.Load() <= holdUntil && r.Resume() }

// Room is Resume when the shards have room again. While much is in hand it goes on when
// that is handled.
func (r *Reading) Room() bool {
	r.paused = false
	return r.inHand.Load() < HoldAt && r.Resume()
}

// Unswamp is Resume when what waited was taken, or was not for too long.
func (r *Reading) Unswamp() bool {
	if !r.swamped {
		return false
	}
	r.swamped = false
	return r.inHand.Load() < HoldAt && r.Resume()
}

// Paused reports whether it waits for Room.
func (r *Reading) Paused() bool { return r.paused }

// End notes that nothing more is taken from what is read.
func (r *Reading) End() { r.over = true }

// Over reports whether nothing more is.
func (r *Reading) Over() bool { return r.over }

// Detach notes that the peer's stream is at its end, and no loop has the descriptor.
func (r *Reading) Detach() { r.detached = true }

// Detached reports whether that is so.
func (r *Reading) Detached() bool { return r.detached }
