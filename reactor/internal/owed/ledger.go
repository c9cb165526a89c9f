package owed

import (
	"sync/atomic"

	"sipreactor/reactor/internal/peek"
)

// Ledger is what the two ends of a connection owe each other: final responses to the peer's
// requests, and to those that were written to it. The former are matched, by the branch of
// their Via. The latter are a count: what the peer's kernel has acknowledged and its program
// never reads, nothing in TCP tells, so requests that have no final response are counted.
// An answer by another connection is not seen, and one that comes twice counts twice; only
// transactions know which request is owed what.
//
// The connection's loop owns it; Theirs, Ours and Live are for any goroutine. The zero
// Ledger is empty.
type Ledger struct {
	theirs Requests
	open   atomic.Int32 // how many theirs has
	ours   atomic.Int64
	stale  Stale // those of ours that are too old
	finals uint64
}

// Came notes a message of the peer's that may be a request.
func (l *Ledger) Came(m []byte) {
	if !peek.IsResponse(m) && !peek.IsACK(m) {
		l.theirs.Add(peek.BranchKey(m))
		l.open.Store(int32(l.theirs.Len()))
	}
}

// Responded notes a message that is written to the peer: a final response is a request less that
// is open. One that is repeated, such as the 200 of an INVITE without its ACK or what a
// server says twice, counts for no other.
func (l *Ledger) Responded(m []byte) {
	if peek.IsResponse(m) && peek.IsFinal(m) {
		l.theirs.Take(peek.BranchKey(m))
		l.open.Store(int32(l.theirs.Len()))
	}
}

// Theirs returns how many requests of the peer have no final response.
func (l *Ledger) Theirs() int { return int(l.open.Load()) }

// Asked notes n requests above 0 that were written to the peer, in a second.
func (l *Ledger) Asked(second, n int64) {
	l.stale.Add(second, l.ours.Load(), n)
	l.ours.Add(n)
}

// Answered looks at a message of the peer's, and reports whether a request of ours is
// answered by it.
func (l *Ledger) Answered(m []byte) bool {
	if !peek.IsResponse(m) || !peek.IsFinal(m) {
		return false
	}
	l.finals++
	if l.ours.Load() == 0 {
		return false
	}
	l.ours.Add(-1)
	return true
}

// Finals returns how many final responses came.
func (l *Ledger) Finals() uint64 { return l.finals }

// Ours returns how many requests that were written have had no final response.
func (l *Ledger) Ours() int64 { return l.ours.Load() }

// Live returns how many of these may still be answered.
func (l *Ledger) Live(second int64) int64 { return l.stale.Live(second, l.ours.Load()) }

// Close returns what Ours does, and forgets it: the connection is over.
func (l *Ledger) Close() int64 { return l.ours.Swap(0) }
