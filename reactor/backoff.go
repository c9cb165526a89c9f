package reactor

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A destination that could not be reached is left alone for a while, so that a
// dead one costs each of its messages nothing and the next destination gets them
// at once. The table stands between Send and a new connection only: one that
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
const (
	firstStep  = time.Second     // doubled by each probe that fails
	pressStep  = 2 * time.Second // the longest step while nothing else is up
	pressTime  = 5 * time.Second // for how long a message that found nothing else counts
	forgetTime = 5 * time.Minute // without a message that asks
	probeTime  = 5 * time.Second // a probe may take for connect and handshake together
	maxBackoff = 1024            // destinations; the one that failed longest ago makes room
)

// backoffKey is a destination as failures count for it.
type backoffKey struct {
	socket *Socket
	peer   peerKey
	domain string // TLS client domain
	// name is the SIP domain of a failure that is only its own: a certificate that
	// does not name it, or that is refused. "" counts for all names.
	name string
}

// deadEnd is a destination that is left alone.
type deadEnd struct {
	target  Target // what a probe dials
	why     *Error // the reason that messages get
	step    time.Duration
	failed  int64 // all times are on the engine's clock
	due     int64 // of the next probe
	asked   int64 // a message last asked for it
	pressed int64 // and found no other target of its set up; 0 = never
	probing bool
	refused uint64
}

// backoff is the table. Its methods are given the time, so that a test has its
// own clock. Any goroutine.
type backoff struct {
	limit time.Duration // the longest step; 0: the table is off
	// random gives a number below another: a quarter of each step at most is left
	// out, so that probes keep pace neither with a peer that comes and goes nor
	// with those of our neighbours. nil: none is.
	random func(int64) int64

	count           atomic.Int32 // of all, for those who would only look
	refused, probes atomic.Uint64

	mu    sync.Mutex
	all   map[backoffKey]*deadEnd
	ends  map[peerKey]int // how many of all are at an end point
	timer *time.Timer     // for the next probe; nil before the first
	over  bool            // no probe is made any more
}

// stepEnd gives when a step that begins now is over.
func (b *backoff) stepEnd(now int64, step time.Duration) int64 {
	if b.random != nil {
		step -= time.Duration(b.random(max(int64(step/4), 1)))
	}
	return now + int64(step)
}

// refuses gives the reason to leave a destination alone that has no connection;
// nil when a new one may be opened.
func (b *backoff) refuses(now int64, key backoffKey, t *Target) *Error {
	if b.count.Load() == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name := key.name
	key.name = ""
	d := b.all[key]
	if d == nil && name != "" {
		key.name = name
		d = b.all[key]
	}
	if d == nil {
		return nil
	}
	d.asked = now
	d.target.Name = t.Name
	d.refused++
	b.refused.Add(1)
	if !b.otherUp(key.peer, t.Set) {
		d.pressed = now
		d.step = min(d.step, pressStep)
		d.due = min(d.due, now+int64(d.step))
	}
	return d.why
}

// otherUp tells whether another address of a set is not known to be dead. The
// lock is held.
func (b *backoff) otherUp(peer peerKey, set *AddrSet) bool {
	if set == nil {
		return false
	}
	for _, p := range set.EndPoints {
		if k := keyOf(p.Proto, p.Addr); k != peer && b.ends[k] == 0 {
			return true
		}
	}
	return false
}

// failed notes that a connection could not be opened. ofName tells that the
// failure is the name's own; it shows that the address is alive. first tells that
// the destination was not in the table.
func (b *backoff) failed(now int64, key backoffKey, ofName bool, t *Target, why *Error) (first bool) {
	if b.limit <= 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	all := key
	all.name = ""
	if ofName {
		b.drop(all)
	} else {
		if d := b.all[key]; d != nil && d.probing { // it was for a name, and did not come that far
			d.probing, d.due = false, b.stepEnd(now, d.step)
		}
		key = all
	}
	d := b.all[key]
	switch {
	case d == nil:
		first = true
		d = b.add(key, t)
		d.asked, d.step = now, min(firstStep, b.limit)
	case d.probing:
		d.step = min(2*d.step, b.limit)
		if d.pressed != 0 && now-d.pressed < int64(pressTime) {
			d.step = min(d.step, pressStep)
		}
	case now < d.due: // it was under way when the first failed
		d.why = remembered(why)
		return false
	}
	d.probing, d.failed, d.due = false, now, b.stepEnd(now, d.step)
	d.why = remembered(why)
	return first
}

// add puts a destination in. The lock is held.
func (b *backoff) add(key backoffKey, t *Target) *deadEnd {
	if b.all == nil {
		b.all, b.ends = make(map[backoffKey]*deadEnd), make(map[peerKey]int)
	}
	if len(b.all) >= maxBackoff {
		b.evict()
	}
	d := &deadEnd{target: *t}
	d.target.Conn, d.target.Set, d.target.Carrier, d.target.Note = 0, nil, nil, nil
	b.all[key] = d
	b.ends[key.peer]++
	b.count.Store(int32(len(b.all)))
	return d
}

// remembered is a reason as the messages get it that come later.
func remembered(why *Error) *Error {
	e := *why
	e.Detail = strings.TrimPrefix(e.Detail+"; left alone (tcp_backoff)", "; ")
	return &e
}

// deferred notes that a probe came to nothing for which the destination is not
// to blame.
func (b *backoff) deferred(now int64, key backoffKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range 2 {
		if d := b.all[key]; d != nil && d.probing {
			d.probing, d.due = false, b.stepEnd(now, d.step)
		}
		key.name = ""
	}
}

// succeeded ends the back-off of a destination, for all names and for the one
// that the handshake was for. It tells whether there was any.
func (b *backoff) succeeded(key backoffKey) bool {
	if b.count.Load() == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	ended := b.drop(key)
	key.name = ""
	return b.drop(key) || ended
}

// answered ends the back-off of end points from which an answer came. That says
// nothing of names.
func (b *backoff) answered(peers ...peerKey) (ended bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range peers {
		if b.ends[p] == 0 {
			continue
		}
		for key := range b.all {
			if key.peer == p && key.name == "" {
				ended = b.drop(key) || ended
			}
		}
	}
	return ended
}

// drop takes a destination out. The lock is held.
func (b *backoff) drop(key backoffKey) bool {
	if b.all[key] == nil {
		return false
	}
	delete(b.all, key)
	if b.ends[key.peer]--; b.ends[key.peer] == 0 {
		delete(b.ends, key.peer)
	}
	b.count.Store(int32(len(b.all)))
	return true
}

// evict makes room: who failed longest ago goes. The lock is held.
func (b *backoff) evict() {
	var oldest backoffKey
	at := int64(-1)
	for key, d := range b.all {
		if at < 0 || d.failed < at {
			oldest, at = key, d.failed
		}
	}
	b.drop(oldest)
}

// due gives the destinations to probe now, and forgets those that nobody has
// asked for.
func (b *backoff) due(now int64) (list []Target) {
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

// next tells when the next probe is due; 0: none is. The lock is held.
func (b *backoff) next() (at int64) {
	for _, d := range b.all {
		if !d.probing && (at == 0 || d.due < at) {
			at = d.due
		}
	}
	return at
}

// BackoffInfo describes a destination that is left alone.
type BackoffInfo struct {
	Proto Proto
	Addr  netip.AddrPort
	// Socket is the local socket that its connections are to have; nil is any.
	Socket *Socket
	// Domain is the TLS client domain; Name the SIP domain for which alone the
	// destination failed, "" for all.
	Domain, Name string
	// Reason is what its messages are told.
	Reason *Error
	// Step is how long it is left alone at a time, Left how much of that is left,
	// Probing that a probe of ours is on its way. Since is the time since it last
	// failed.
	Step, Left, Since time.Duration
	Probing           bool
	// Refused is how many messages it was not given.
	Refused uint64
}

// snapshot lists the table, the latest failure first.
func (b *backoff) snapshot(now int64) []BackoffInfo {
	b.mu.Lock()
	list := make([]BackoffInfo, 0, len(b.all))
	for key, d := range b.all {
		list = append(list, BackoffInfo{Proto: key.peer.proto, Addr: d.target.Addr, Socket: key.socket, Domain: key.domain,
			Name: key.name, Reason: d.why, Step: d.step, Left: time.Duration(max(d.due-now, 0)),
			Since: time.Duration(now - d.failed), Probing: d.probing, Refused: d.refused})
	}
	b.mu.Unlock()
	slices.SortFunc(list, func(x, y BackoffInfo) int {
		return cmp.Or(cmp.Compare(x.Since, y.Since), x.Addr.Compare(y.Addr), strings.Compare(x.Name, y.Name))
	})
	return list
}

// reset takes out what is at an end point, or all for an invalid one, and tells
// how many those were.
func (b *backoff) reset(at netip.AddrPort) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, d := range b.all {
		if (!at.IsValid() || d.target.Addr == at) && b.drop(key) {
			n++
		}
	}
	return n
}
