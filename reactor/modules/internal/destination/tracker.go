package destination

import (
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/transaction"
)

// Finder calls yield with the records of the destinations at an address that are
// reached by a transport.
type Finder func(at netip.AddrPort, proto reactor.Proto, yield func(*Health))

// Tracker follows the requests that transactions send to destinations: it counts
// them, and judges destinations by how they answer. Its methods may be called by any
// goroutine. It listens once, and outlives a reload of the script, which gives it
// another Finder.
type Tracker struct {
	once  sync.Once
	use   atomic.Pointer[usage]
	mu    sync.Mutex
	trips map[*transaction.Leg]*trip
}

// usage is what a configuration has a Tracker do.
type usage struct {
	find   Finder
	policy *Policy
	log    *slog.Logger
}

// trip is a request on its way to destinations.
type trip struct {
	to        []*Health
	at        netip.AddrPort
	began     time.Time
	responded bool
}

// NewTracker makes one that follows nothing yet.
func NewTracker() *Tracker { return &Tracker{trips: map[*transaction.Leg]*trip{}} }

// Use has destinations found by find from now on.
func (t *Tracker) Use(find Finder, policy *Policy, log *slog.Logger) {
	t.use.Store(&usage{find, policy, log})
}

// Follow begins to listen to the transactions of the module tm, which may be nil.
func (t *Tracker) Follow(tm Layered) {
	if tm == nil {
		return
	}
	if l := tm.Layer(); l != nil {
		t.once.Do(func() { l.Listen(t.happened) })
	}
}

func (t *Tracker) happened(h *transaction.Happening) {
	switch h.What {
	case transaction.RequestOut:
		if _, ours := h.Exchange.Origin(); !ours {
			t.depart(h.Leg, time.Now())
		}
	case transaction.ResponseIn:
		t.respond(h.Leg, h.Code, time.Now())
	case transaction.Failing:
		// The transaction may go on for long, to other destinations: what failed here has.
		for _, leg := range h.Exchange.Legs() {
			if leg.Local() {
				t.end(leg, time.Now())
			}
		}
	case transaction.Over:
		for _, leg := range h.Exchange.Legs() {
			t.end(leg, time.Now())
		}
	default: // nothing that a request goes or comes back with
	}
}

// depart is a request that goes out, for the first time or to the branch's next
// address.
func (t *Tracker) depart(leg *transaction.Leg, now time.Time) {
	u := t.use.Load()
	if u == nil {
		return
	}
	target := leg.Target()
	next := &trip{at: target.Addr, began: now}
	u.find(target.Addr, target.Proto, func(h *Health) { next.to = append(next.to, h) })
	t.mu.Lock()
	old := t.trips[leg]
	if old != nil && old.at == next.at { // a retransmission of ours
		t.mu.Unlock()
		return
	}
	if len(next.to) > 0 {
		t.trips[leg] = next
	} else {
		delete(t.trips, leg)
	}
	t.mu.Unlock()
	for _, h := range next.to {
		h.tally.Begin()
	}
	old.over(u, func(h *Health) { h.tally.Fail() }, true, now)
}

// respond is a response.
func (t *Tracker) respond(leg *transaction.Leg, code int, now time.Time) {
	t.mu.Lock()
	one := t.trips[leg]
	if one == nil {
		t.mu.Unlock()
		return
	}
	first := !one.responded
	one.responded = true
	if code >= 200 {
		delete(t.trips, leg)
	}
	t.mu.Unlock()
	took := now.Sub(one.began)
	for _, h := range one.to {
		if first {
			h.tally.Took(took)
		}
		if code >= 200 {
			h.tally.Answer(code, now)
		}
	}
	if code >= 200 {
		one.over(t.use.Load(), nil, code == 408 || code >= 500 && code < 600, now)
	}
}

// end is a branch without a final response: it could not be sent, or timed out.
func (t *Tracker) end(leg *transaction.Leg, now time.Time) {
	t.mu.Lock()
	one := t.trips[leg]
	delete(t.trips, leg)
	t.mu.Unlock()
	if one == nil {
		return
	}
	count := (*Tally).Fail
	if leg.Status() == 408 {
		count = (*Tally).Silence
	}
	failed := leg.Local()
	one.over(t.use.Load(), func(h *Health) {
		if failed {
			count(&h.tally)
		}
	}, failed, now)
}

// over is the end of a trip.
func (o *trip) over(u *usage, count func(*Health), failed bool, now time.Time) {
	if o == nil {
		return
	}
	took := time.Duration(0)
	if o.responded {
		took = now.Sub(o.began)
	}
	for _, h := range o.to {
		h.tally.End()
		if count != nil {
			count(h)
		}
		if why := h.Judge(failed, took, now, u.policy); why != "" && u.log != nil {
			u.log.Warn("a destination rests", "address", o.at.String(), "why", why, "until", h.Resting(now).Format(time.TimeOnly))
		}
	}
}
