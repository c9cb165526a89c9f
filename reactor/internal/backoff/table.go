// Package backoff is the table of destinations that could not be reached: each is
// left alone for a while, so that a dead one costs each of its messages nothing and
// the next destination gets them at once. The table stands between Send and a new connection only: one that
// exists is used whatever the table says.
//
//	state      event                              becomes
//	closed     a dial or a handshake failed       open, for the shortest step
//	open       a message asks                     open: it gets the remembered reason
//	open       the step is over                   half-open: a probe of ours is on its way
//	half-open  a message asks                     half-open: it gets the remembered reason
//	half-open  the probe failed                   open, for a step twice as long
//	half-open  the probe failed for want of ours  open, for the same step
//	any        a handshake succeeded, an answer   closed
//	any        nobody has asked for long          closed
//
// The table has no clock and no timer: its methods are given the time in
// nanoseconds. Probes has the timer for when they are due. Any goroutine may call either.
package backoff

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/endpoint"
)

const (
	firstStep  = time.Second     // doubled by each probe that fails
	pressStep  = 2 * time.Second // the longest step while nothing else is up
	pressTime  = 5 * time.Second // for how long a message that found nothing else counts
	forgetTime = 5 * time.Minute // without a message that asks
	maxEntries = 1024            // destinations; the one that failed longest ago makes room
)

// Key is a destination as failures count for it. S names the local socket.
type Key[S comparable] struct {
	Socket S
	Peer   endpoint.Key
	Domain string // TLS client domain
	// Name is the SIP domain of a failure that is only its own: a certificate that
	// does not name it, or that is refused. "" counts for all names.
	Name string
}

// Target is what a probe dials.
type Target[T any] struct {
	Addr netip.AddrPort
	Name string // of the latest message that asked
	What T      // the rest, the table's owner's
}

// deadEnd is a destination that is left alone.
type deadEnd[T, R any] struct {
	target  Target[T]
	why     R // the reason that messages get
	step    time.Duration
	failed  int64 // all times are on the engine's clock
	due     int64 // of the next probe
	asked   int64 // a message last asked for it
	pressed int64 // and found no other target of its set up; 0 = never
	probing bool
	refused uint64
}

// Table is the destinations that are left alone: S names local sockets, T is what
// its owner needs to dial, R the reason that messages get. The zero value is off.
type Table[S comparable, T, R any] struct {
	Limit time.Duration // the longest step; 0: the table is off
	// Random gives a number below another: a quarter of each step at most is left
	// out, so that probes keep pace neither with a peer that comes and goes nor
	// with those of our neighbours. nil: none is.
	Random func(int64) int64

	count           atomic.Int32 // of all, for those who would only look
	refused, probes atomic.Uint64

	mu   sync.Mutex
	all  map[Key[S]]*deadEnd[T, R]
	ends map[endpoint.Key]int // how many of all are at an end point
}

// stepEnd gives when a step that begins now is over.
func (b *Table[S, T, R]) stepEnd(now int64, step time.Duration) int64 {
	if b.Random != nil {
		step -= time.Duration(b.Random(max(int64(step/4), 1)))
	}
	return now + int64(step)
}

// Len returns how many destinations are left alone.
func (b *Table[S, T, R]) Len() int { return int(b.count.Load()) }

// Counts returns how many messages were not given to a destination, and how many
// probes were made.
func (b *Table[S, T, R]) Counts() (refused, probes uint64) { return b.refused.Load(), b.probes.Load() }

// Refuses reports whether a destination that has no connection is to be left alone,
// and why. name is that of the message, others the end points of its destination,
// all of them: it is tried again sooner where none is up. nil is Addr alone.
func (b *Table[S, T, R]) Refuses(now int64, key Key[S], name string, others func(yield func(endpoint.Key) bool)) (why R, refused bool) {
	if b.count.Load() == 0 {
		return why, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	ofName := key.Name
	key.Name = ""
	d := b.all[key]
	if d == nil && ofName != "" {
		key.Name = ofName
		d = b.all[key]
	}
	if d == nil {
		return why, false
	}
	d.asked = now
	d.target.Name = name
	d.refused++
	b.refused.Add(1)
	if !b.otherUp(key.Peer, others) {
		d.pressed = now
		d.step = min(d.step, pressStep)
		d.due = min(d.due, now+int64(d.step))
	}
	return d.why, true
}

// otherUp tells whether another address of a set is not known to be dead. The
// lock is held.
func (b *Table[S, T, R]) otherUp(peer endpoint.Key, others func(yield func(endpoint.Key) bool)) (up bool) {
	if others != nil {
		others(func(k endpoint.Key) bool {
			up = k != peer && b.ends[k] == 0
			return !up
		})
	}
	return up
}

// Failed notes that a connection could not be opened. ofName tells that the
// failure is the name's own; it shows that the address is alive. first tells that
// the destination was not in the table.
func (b *Table[S, T, R]) Failed(now int64, key Key[S], ofName bool, t Target[T], why R) (first bool) {
	if b.Limit <= 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	all := key
	all.Name = ""
	if ofName {
		b.drop(all)
	} else {
		if d := b.all[key]; key != all && d != nil && d.probing { // it was for a name, and did not come that far
			d.probing, d.due = false, b.stepEnd(now, d.step)
		}
		key = all
	}
	d := b.all[key]
	switch {
	case d == nil:
		first = true
		d = b.add(key, t)
		d.asked, d.step = now, min(firstStep, b.Limit)
	case d.probing:
		d.step = min(2*d.step, b.Limit)
		if d.pressed != 0 && now-d.pressed < int64(pressTime) {
			d.step = min(d.step, pressStep)
		}
	case now < d.due: // it was under way when the first failed
		d.why = why
		return false
	}
	d.probing, d.failed, d.due = false, now, b.stepEnd(now, d.step)
	d.why = why
	return first
}

// add puts a destination in. The lock is held.
func (b *Table[S, T, R]) add(key Key[S], t Target[T]) *deadEnd[T, R] {
	if b.all == nil {
		b.all, b.ends = make(map[Key[S]]*deadEnd[T, R]), make(map[endpoint.Key]int)
	}
	if len(b.all) >= maxEntries {
		b.evict()
	}
	d := &deadEnd[T, R]{target: t}
	b.all[key] = d
	b.ends[key.Peer]++
	b.count.Store(int32(len(b.all)))
	return d
}

// Deferred notes that a probe came to nothing for which the destination is not
// to blame.
func (b *Table[S, T, R]) Deferred(now int64, key Key[S]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range 2 {
		if d := b.all[key]; d != nil && d.probing {
			d.probing, d.due = false, b.stepEnd(now, d.step)
		}
		key.Name = ""
	}
}

// Succeeded ends the back-off of a destination, for all names and for the one
// that the handshake was for. It tells whether there was any.
func (b *Table[S, T, R]) Succeeded(key Key[S]) bool {
	if b.count.Load() == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	ended := b.drop(key)
	key.Name = ""
	return b.drop(key) || ended
}

// Answered ends the back-off of end points from which an answer came. That says
// nothing of names.
func (b *Table[S, T, R]) Answered(peers ...endpoint.Key) (ended bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range peers {
		if b.ends[p] == 0 {
			continue
		}
		for key := range b.all {
			if key.Peer == p && key.Name == "" {
				ended = b.drop(key) || ended
			}
		}
	}
	return ended
}

// drop takes a destination out. The lock is held.
func (b *Table[S, T, R]) drop(key Key[S]) bool {
	if b.all[key] == nil {
		return false
	}
	delete(b.all, key)
	if b.ends[key.Peer]--; b.ends[key.Peer] == 0 {
		delete(b.ends, key.Peer)
	}
	b.count.Store(int32(len(b.all)))
	return true
}

// evict makes room: who failed longest ago goes. The lock is held.
func (b *Table[S, T, R]) evict() {
	var oldest Key[S]
	at := int64(-1)
	for key, d := range b.all {
		if at < 0 || d.failed < at {
			oldest, at = key, d.failed
		}
	}
	b.drop(oldest)
}

// Due gives the destinations to probe now, and forgets those that nobody has
// asked for.
func (b *Table[S, T, R]) Due(now int64) (list []Target[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, d := range b.all {
		switch {
		case d.probing: // its end tells
		case now-d.asked > int64(forgetTime):
			b.drop(key)
		case now >= d.due:
			d.probing = true
			b.probes.Add(1)
			list = append(list, d.target)
		}
	}
	return list
}

// Next returns when the next probe is due; 0: none is.
func (b *Table[S, T, R]) Next() (at int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.all {
		if !d.probing && (at == 0 || d.due < at) {
			at = d.due
		}
	}
	return at
}

// Info describes a destination that is left alone.
type Info[S comparable, R any] struct {
	Key    Key[S]
	Addr   netip.AddrPort
	Reason R
	// Step is how long it is left alone at a time, Left how much of that is left,
	// Since the time since it last failed.
	Step, Left, Since time.Duration
	Probing           bool   // a probe is on its way
	Refused           uint64 // messages that it was not given
}

// Snapshot lists the table, the latest failure first.
func (b *Table[S, T, R]) Snapshot(now int64) []Info[S, R] {
	b.mu.Lock()
	list := make([]Info[S, R], 0, len(b.all))
	for key, d := range b.all {
		list = append(list, Info[S, R]{Key: key, Addr: d.target.Addr, Reason: d.why, Step: d.step,
			Left: time.Duration(max(d.due-now, 0)), Since: time.Duration(now - d.failed), Probing: d.probing, Refused: d.refused})
	}
	b.mu.Unlock()
	slices.SortFunc(list, func(x, y Info[S, R]) int {
		return cmp.Or(cmp.Compare(x.Since, y.Since), x.Addr.Compare(y.Addr), strings.Compare(x.Key.Name, y.Key.Name))
	})
	return list
}

// Reset takes out what is at an address, or all for an invalid one, and returns how
// many those were.
func (b *Table[S, T, R]) Reset(at netip.AddrPort) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, d := range b.all {
		if (!at.IsValid() || d.target.Addr == at) && b.drop(key) {
			n++
		}
	}
	return n
}
