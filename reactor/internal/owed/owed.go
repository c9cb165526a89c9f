// Package owed counts what is owed an answer: by the two ends of a connection (Ledger), and
// by those that send each other datagrams (Window). A request that was lost without a word
// is owed one for ever by a count, so what is too old to be answered is told apart.
//
// Who counts and who only looks stands with each type. Nothing here parses a message.
package owed

import "sync/atomic"

const (
	// answerTime is how long a final response may take, in seconds: Timer C of RFC
	// 3261 16.6, in which a callee may ring.
	answerTime = 180
	// datagramTime is the same for what went by a datagram: 64·T1. A later response
	// needs no connection of ours; the next life of the program sends it on.
	datagramTime = 32
)

// Stale tells requests on a connection that are too old to be answered, in the
// manner of two generations: what is open and was not asked in this one or the
// one before. One goroutine calls Add, any calls Live.
type Stale struct {
	began atomic.Int64 // second in which the generation began
	count atomic.Int64 // requests of it
	old   atomic.Int64 // open ones that are older than the generation before
}

// Add notes n requests; open is how many had no answer before.
func (s *Stale) Add(now, open, n int64) {
	if age := now - s.began.Load(); age >= answerTime {
		s.old.Store(s.older(age, open))
		s.count.Store(0)
		s.began.Store(now)
	}
	s.count.Add(n)
}

// older is how many of the open requests are too old when the generation has
// this age.
func (s *Stale) older(age, open int64) int64 {
	switch {
	case age >= 2*answerTime:
		return open
	case age >= answerTime:
		return max(open-s.count.Load(), 0)
	default:
		return s.old.Load()
	}
}

// Live returns how many of the open requests may still be answered.
func (s *Stale) Live(now, open int64) int64 {
	return max(open-s.older(now-s.began.Load(), open), 0)
}

// Window counts events of the last datagramTime seconds. Any goroutine; the sum
// may be off by what happens in the moment a second begins.
type Window [datagramTime + 1]struct{ second, n atomic.Int64 }

// Add counts one.
func (w *Window) Add(now int64) {
	s := &w[now%int64(len(w))]
	if s.second.Load() != now {
		s.n.Store(0)
		s.second.Store(now)
	}
	s.n.Add(1)
}

// Sum returns how many there were.
func (w *Window) Sum(now int64) (n int64) {
	for i := range w {
		if s := &w[i]; now-s.second.Load() < datagramTime {
			n += s.n.Load()
		}
	}
	return n
}
