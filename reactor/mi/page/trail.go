package page

import (
	"time"

	"sipreactor/reactor"
)

const (
	// maxSteps is how many events are kept of one connection: more than the seven
	// that one can have.
	maxSteps = 8
	// maxTrails is of how many live connections events are kept; those that come
	// when there are so many have none.
	maxTrails = 1 << 16
	// maxEnded is how many connections are remembered after their end.
	maxEnded = 512
)

// step is one event of a connection.
type step struct {
	kind reactor.EventKind
	at   time.Duration // after the connection's first event
}

// trail is what happened to one connection. Where it led and how it ended is
// kept when it has ended: until then the engine knows.
type trail struct {
	began time.Time
	count uint8
	steps [maxSteps]step
	end   *ending
}

// ending is what is left of a connection that is gone.
type ending struct {
	source reactor.Source
	reason reactor.Reason
	blame  reactor.Blame
	detail string
}

// each calls f with the events in order.
func (t *trail) each(f func(kind reactor.EventKind, at time.Time)) {
	for _, s := range t.steps[:t.count] {
		f(s.kind, t.began.Add(s.at))
	}
}

// has tells whether an event happened.
func (t *trail) has(kind reactor.EventKind) bool {
	for _, s := range t.steps[:t.count] {
		if s.kind == kind {
			return true
		}
	}
	return false
}

// trails holds the trails of live connections, and of the last ones that ended.
type trails struct {
	live  map[reactor.Handle]*trail
	ended [maxEnded]reactor.Handle // a ring; its trails are in live too
	next  int
	past  int // how many of live have ended
}

func (t *trails) add(h *happening) {
	id := h.source.Conn
	if id == 0 || h.kind == reactor.ConnRefused {
		return // it never was a connection
	}
	one := t.live[id]
	if one == nil {
		if len(t.live)-t.past >= maxTrails {
			return
		}
		one = &trail{began: h.time}
		t.live[id] = one
	}
	if one.end != nil {
		return // an event that came after the end: there is none by contract
	}
	if one.count < maxSteps {
		one.steps[one.count] = step{h.kind, h.time.Sub(one.began)}
		one.count++
	}
	if h.kind == reactor.ConnClosed {
		one.end = &ending{source: h.source, reason: h.reason, blame: h.blame, detail: brief(h.detail)}
		t.bury(id)
	}
}

// bury remembers an ended connection, and forgets the one that ended longest ago.
func (t *trails) bury(id reactor.Handle) {
	if old := t.ended[t.next]; old != 0 {
		delete(t.live, old)
		t.past--
	}
	t.ended[t.next] = id
	t.next = (t.next + 1) % maxEnded
	t.past++
}

// sweep forgets connections whose end was lost: those that there says are gone,
// and whose last event is older than grace.
func (t *trails) sweep(now time.Time, grace time.Duration, there func(reactor.Handle) bool) {
	for id, one := range t.live {
		if one.end == nil && now.Sub(one.began.Add(one.steps[one.count-1].at)) > grace && !there(id) {
			delete(t.live, id)
		}
	}
}
