package reactor

import "sync/atomic"

// What is owed an answer, for a draining engine. A request that was lost without
// a word is owed one for ever by the counts; so what is too old to be answered
// is told apart, by time alone.

const (
	// answerTime is how long a final response may take, in seconds: Timer C of RFC
	// 3261 16.6, in which a callee may ring.
	answerTime = 180
	// datagramTime is the same for what went by a datagram: 64·T1. A later response
	// needs no connection of ours; the next life of the program sends it on.
	datagramTime = 32
)

// stale tells requests on a connection that are too old to be answered, in the
// manner of two generations: what is open and was not asked in this one or the
// one before. One goroutine calls add, any calls live.
type stale struct {
	began atomic.Int64 // second in which the generation began
	count atomic.Int64 // requests of it
	old   atomic.Int64 // open ones that are older than the generation before
}

// add notes n requests; open is how many had no answer before.
func (s *stale) add(now, open, n int64) {
	if age := now - s.began.Load(); age >= answerTime {
		s.old.Store(s.older(age, open))
		s.count.Store(0)
		s.began.Store(now)
	}
	s.count.Add(n)
}

// older is how many of the open requests are too old when the generation has
// this age.
func (s *stale) older(age, open int64) int64 {
	switch {
	case age >= 2*answerTime:
		return open
	case age >= answerTime:
		return max(open-s.count.Load(), 0)
	default:
		return s.old.Load()
	}
}

// live is how many of the open requests may still be answered.
func (s *stale) live(now, open int64) int64 {
	return max(open-s.older(now-s.began.Load(), open), 0)
}

// window counts events of the last datagramTime seconds. Any goroutine; the sum
// may be off by what happens in the moment a second begins.
type window [datagramTime + 1]struct{ second, n atomic.Int64 }

func (w *window) add(now int64) {
	s := &w[now%int64(len(w))]
	if s.second.Load() != now {
		s.n.Store(0)
		s.second.Store(now)
	}
	s.n.Add(1)
}

func (w *window) sum(now int64) (n int64) {
	for i := range w {
		if s := &w[i]; now-s.second.Load() < datagramTime {
			n += s.n.Load()
		}
	}
	return n
}

// owedByDatagrams is how many requests that left as datagrams may still be
// answered: it counts and matches nothing, so that a response that came twice
// counts for another request.
func (e *Engine) owedByDatagrams() int64 {
	now, n := e.seconds(), int64(0)
	for _, s := range e.shards {
		n += s.stat.asked.sum(now)
	}
	e.eachLoop(func(l *loop) { n -= l.stat.answered.sum(now) })
	return max(n, 0)
}
