package destination

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// State is what has been decided about a destination, by hand, by the script or
// by probing.
type State uint32

// The states, as the tables of OpenSIPS number them.
const (
	Active   State = iota // gets calls
	Inactive              // gets none, and is not pinged
	Probing               // gets none until it answers a ping
)

// String gives the state's name, as the management interface shows it.
func (s State) String() string {
	switch s {
	case Active:
		return "Active"
	case Inactive:
		return "Inactive"
	case Probing:
		return "Probing"
	default:
		return fmt.Sprintf("state(%d)", uint32(s))
	}
}

// ParseState reads a state as the script and the management interface name it:
// a, i or p in either case, or 1, 0, 2 (which are not the numbers of the tables).
func ParseState(s string) (State, bool) {
	switch strings.ToLower(s) {
	case "a", "1":
		return Active, true
	case "i", "0":
		return Inactive, true
	case "p", "2":
		return Probing, true
	default:
		return Active, false
	}
}

// Health is the living record of one destination. The zero value is active,
// since the epoch; use New.
type Health struct {
	state   atomic.Uint32
	since   atomic.Int64 // nanoseconds since 1970
	why     atomic.Pointer[string]
	down    atomic.Pointer[string] // why the engine cannot reach it; nil: it can, or has not tried
	rest    atomic.Int64           // ejected until then, nanoseconds since 1970; 0 = it is not
	warming atomic.Int64           // slow start began then; 0 = it is not in one

	tally Tally

	mu     sync.Mutex // guards changes of the above and what follows
	misses int        // in a row
	window window
	spells int // ejections in a row
}

// New makes a record in a state.
func New(s State, why string, now time.Time) *Health {
	h := &Health{}
	h.state.Store(uint32(s))
	h.since.Store(now.UnixNano())
	h.why.Store(&why)
	return h
}

// State gives the state.
func (h *Health) State() State { return State(h.state.Load()) }

// Since tells when the state began.
func (h *Health) Since() time.Time { return time.Unix(0, h.since.Load()) }

// Why tells who decided the state, "" if nobody said.
func (h *Health) Why() string {
	if p := h.why.Load(); p != nil {
		return *p
	}
	return ""
}

// Tally gives the destination's counters.
func (h *Health) Tally() *Tally { return &h.tally }

// Set changes the state and reports whether it was another one. The misses
// counted so far are forgotten. A destination that becomes active begins its
// slow start, if the policy has one.
func (h *Health) Set(s State, why string, now time.Time, p *Policy) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.set(s, why, now, p)
}

// set is Set with the lock held.
func (h *Health) set(s State, why string, now time.Time, p *Policy) bool {
	h.misses = 0
	if h.State() == s {
		return false
	}
	h.state.Store(uint32(s))
	h.since.Store(now.UnixNano())
	h.why.Store(&why)
	h.spells, h.window = 0, window{}
	h.rest.Store(0)
	h.warm(s == Active, now, p)
	return true
}

// warm begins the slow start, or ends it. The lock is held.
func (h *Health) warm(on bool, now time.Time, p *Policy) {
	if on && p != nil && p.SlowStart > 0 {
		h.warming.Store(now.UnixNano())
		return
	}
	h.warming.Store(0)
}

// Miss counts a ping, or a call, that was not answered as it should be. With the
// limit-th in a row an active destination becomes probing; Miss reports whether
// it did.
func (h *Health) Miss(limit int, why string, now time.Time) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.State() != Active {
		return false
	}
	if h.misses++; h.misses < limit {
		return false
	}
	return h.set(Probing, why, now, nil)
}

// Pong notes a ping that was answered well: a destination in probing becomes
// active, one that is inactive stays so. It reports whether the state changed.
func (h *Health) Pong(why string, now time.Time, p *Policy) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.misses = 0
	if h.State() != Probing {
		return false
	}
	return h.set(Active, why, now, p)
}

// SetDown notes that the engine cannot reach the destination, or with "" that it
// can again.
func (h *Health) SetDown(why string) {
	if why == "" {
		h.down.Store(nil)
		return
	}
	if p := h.down.Load(); p == nil || *p != why {
		h.down.Store(&why)
	}
}

// Down tells why the engine cannot reach the destination, "" if it can.
func (h *Health) Down() string {
	if p := h.down.Load(); p != nil {
		return *p
	}
	return ""
}

// Usable reports whether a call may go there: the destination is active, the
// engine can reach it, it is not resting for how it answered, and in a slow start
// the die falls for it. The die is any number that belongs to the call: the same
// one gives the same answer until the time has moved on.
func (h *Health) Usable(now time.Time, die uint64, p *Policy) bool {
	if h.State() != Active || h.down.Load() != nil {
		return false
	}
	if rest := h.rest.Load(); rest != 0 && now.UnixNano() < rest {
		return false
	}
	began := h.warming.Load()
	if began == 0 || p == nil || p.SlowStart <= 0 {
		return true
	}
	age := time.Duration(now.UnixNano() - began)
	return age >= p.SlowStart || float64(die>>11)/(1<<53) < p.share(age)
}

// Resting tells until when the destination is left out for how it answered; the
// zero time if it is not.
func (h *Health) Resting(now time.Time) time.Time {
	if rest := h.rest.Load(); rest > now.UnixNano() {
		return time.Unix(0, rest)
	}
	return time.Time{}
}
