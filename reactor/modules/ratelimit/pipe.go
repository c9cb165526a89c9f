package ratelimit

import (
	"math/rand/v2"
	"sync"
	"time"
)

// algorithm decides when a pipe is full.
type algorithm uint8

const (
	taildrop algorithm = iota // past the limit in an interval
	red                       // every n-th, as the load of the last interval asks for
	sbt                       // past the limit in a window of slots
	network                   // when more waits in the sockets than the limit
	feedback                  // so many that the load of the processors keeps to the limit
)

var algorithms = map[string]algorithm{"TAILDROP": taildrop, "RED": red, "SBT": sbt, "NETWORK": network, "FEEDBACK": feedback}

// String gives the name.
func (a algorithm) String() string {
	for name, other := range algorithms {
		if a == other {
			return name
		}
	}
	return ""
}

// settings are those of all pipes.
type settings struct {
	interval    time.Duration // timer_interval
	perInterval bool          // limit_per_interval
	window      time.Duration // window_size
	slot        time.Duration // slot_period
}

// pipe counts messages against a limit. It is locked for each.
type pipe struct {
	sync.Mutex
	algo    algorithm
	limit   int
	counter int // messages of this interval, or window
	before  int // of the last interval
	load    float64
	slots   []int
	slotAt  int64     // number of the slot that is counted
	turned  time.Time // begin of the interval
	last    time.Time // message
}

// most is how many messages an interval may have.
func (p *pipe) most(s *settings) int {
	if s.perInterval {
		return p.limit
	}
	return p.limit * max(int(s.interval/time.Second), 1)
}

// check counts a message and reports whether it passes.
func (p *pipe) check(s *settings, system *load, limit int, now time.Time) bool {
	p.limit, p.last = limit, now
	p.turn(s, now)
	p.counter++
	switch p.algo {
	case red:
		return p.redPasses()
	case sbt:
		p.slots[p.slotAt%int64(len(p.slots))]++
		return p.counter <= p.limit
	case network:
		return system.waiting() <= p.limit
	case feedback:
		return rand.Float64() >= system.dropRate(p.limit) //nolint:gosec // a share, no secret
	default:
		return p.counter <= p.most(s)
	}
}

// redPasses lets every n-th message through, n being by how much the last interval was
// past the limit.
func (p *pipe) redPasses() bool {
	if p.load <= 1 {
		return true
	}
	return int(float64(p.counter)/p.load) != int(float64(p.counter-1)/p.load)
}

// turn begins a new interval, or slot, when it is time.
func (p *pipe) turn(s *settings, now time.Time) {
	if p.algo == sbt {
		p.slide(s, now)
		return
	}
	if p.turned.IsZero() {
		p.turned = now
	}
	gone := now.Sub(p.turned)
	if gone < s.interval {
		return
	}
	p.before = p.counter
	if gone >= 2*s.interval {
		p.before = 0 // the last interval was silent
	}
	p.load = float64(p.before) / float64(max(p.most(s), 1))
	p.counter, p.turned = 0, now
}

// slide lets go of the slots that have left the window.
func (p *pipe) slide(s *settings, now time.Time) {
	if p.slots == nil {
		p.slots = make([]int, max(int(s.window/s.slot), 1))
	}
	at := now.UnixNano() / int64(s.slot)
	for n := 0; p.slotAt < at && n < len(p.slots); n++ {
		p.slotAt++
		i := p.slotAt % int64(len(p.slots))
		if n == 0 && at-p.slotAt >= int64(len(p.slots)) {
			p.slotAt = at - int64(len(p.slots)) + 1
			i = p.slotAt % int64(len(p.slots))
		}
		p.counter -= p.slots[i]
		p.slots[i] = 0
	}
	p.slotAt = at
}

// decrease takes a message back that check has counted.
func (p *pipe) decrease() {
	if p.counter == 0 {
		return
	}
	p.counter--
	if p.algo == sbt {
		if i := p.slotAt % int64(len(p.slots)); p.slots[i] > 0 {
			p.slots[i]--
		}
	}
}

// reset forgets what was counted.
func (p *pipe) reset() {
	p.counter, p.before, p.load = 0, 0, 0
	clear(p.slots)
}
