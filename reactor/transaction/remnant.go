package transaction

import (
	"net/netip"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/attached"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// remnant is what stays of a transaction that has its final response, in the place of its Exchange: of an INVITE with a
// 2xx for 64*T1 (RFC 6026 L and M), of another request over UDP for wt_timer. It takes a tenth of the memory, and the
// Exchange is the next request's at once, while it is in the processor's caches still. A 2xx that comes again, or a call
// by handle, gets an Exchange made of it for as long as it takes, with what others keep with it and those who listen.
//
// It belongs to the same shard and has the same handle. All but held and timer is the holder's: whoever handles something
// for it. What comes meanwhile is a repetition, comes again, and is dropped.
type remnant struct {
	held   atomic.Bool
	status uint16
	method sipframe.Method
	try    uint8 // of its branch
	key    uint64
	merge  uint64 // 0: not entered
	timer  Timer  // its end, and by its key the handle
	up     proxy.Upstream
	last   *sipframe.Buffer // what goes upstream again; nil: nothing
	more   *remnants        // nil for one branch about which nobody keeps anything
}

// remnants is what not all of them need.
type remnants struct {
	script    bool // the Script keeps something
	attached  any
	legs      []remnantLeg
	src       *reactor.Source
	kept      attached.List
	listeners []Listener
}

type remnantLeg struct {
	attached any
	flags    uint64
	status   uint16
	try      uint8
}

// settledEnough reports whether what is left to do for the Exchange can be done by a remnant. x is held, and nothing
// waits in its queue.
func (x *Exchange) settledEnough() bool {
	switch {
	case x.status < 200 || x.origin != nil || x.deciding || x.depth > 0 || x.waits > 0 || x.answered != 0:
		return false
	case x.Invite() && x.State() != Accepted, !x.Invite() && (x.State() != Completed || x.up.Reliable()):
		return false
	}
	for _, b := range x.branches {
		if s := b.request.state; s != Terminated && s != Accepted && (s != Completed || x.Invite()) || b.cancel != nil && !b.cancel.Over() {
			return false
		}
	}
	return len(x.branches) > 0
}

// leave has a remnant found in the place of the Exchange, which is nobody's then. The Exchange's mutex is held.
func (x *Exchange) leave() *remnant {
	l, h := x.layer, x.handle.Load()
	r, ok := l.remnants.Get().(*remnant)
	if !ok {
		r = new(remnant)
		r.held.Store(true)
	}
	r.method, r.key, r.up, r.status = x.method, x.key, x.up, uint16(x.status)
	r.merge, r.try = 0, x.legs[0].try
	if x.merged {
		r.merge = x.merge
	}
	r.last, x.last = x.last, nil
	s := l.user()
	if keep := s != nil && s.Keeps(x); keep || len(x.branches) > 1 || len(x.attached) > 0 || len(x.listeners) > 0 {
		more, ok := l.leftovers.Get().(*remnants)
		if !ok {
			more = new(remnants)
		}
		if r.more = more; keep {
			more.script = true
			more.attached, x.Attached = x.Attached, nil
		}
		for _, leg := range x.Legs() {
			one := remnantLeg{flags: leg.Set.Flags(), status: uint16(leg.status), try: leg.try}
			if keep {
				one.attached, leg.Attached = leg.Attached, nil
			}
			more.legs = append(more.legs, one)
		}
		more.src = x.src
		more.swap(x)
	}
	r.timer.key.Store(h)
	l.table.fold(h, r)
	x.over = true
	x.handle.Store(0)
	x.c, x.rc = nil, nil
	return r
}

// swap exchanges what others keep with the Exchange, and those who listen to it, for what is kept here.
func (m *remnants) swap(x *Exchange) {
	m.kept, x.attached = x.attached, m.kept
	m.listeners, x.listeners = x.listeners, m.listeners
}

// free lets go of what is kept.
func (m *remnants) free(l *Layer) {
	clear(m.kept)
	clear(m.listeners)
	clear(m.legs)
	*m = remnants{legs: m.legs[:0], kept: m.kept[:0], listeners: m.listeners[:0]}
	l.leftovers.Put(m)
}

// handle returns what names the remnant; 0: it is over. Any goroutine.
func (r *remnant) handle() uint64 { return r.timer.key.Load() }

// remnantsEnd is how far apart remnants end, some later than they might: so one wake-up ends many.
const remnantsEnd = 64 * Tick

// fold gives the remnant its time, lets others have it, and the Exchange be used again.
func (x *Exchange) fold(r *remnant) {
	l, h := x.layer, r.handle()
	if x.indexed {
		l.invites.remove(x.invited.Load(), h)
	}
	x.shard.wheel.arm(&r.timer, (x.endsBy() + remnantsEnd - 1).Truncate(remnantsEnd), h)
	r.held.Store(false)
	l.recycle(x)
}

// endsBy stops the timers of a transaction that has nothing but its end before it, and returns when that is.
func (t *Transaction) endsBy() (end time.Duration) {
	w := t.wheel
	w.mu.Lock()
	defer w.mu.Unlock()
	stop := func(timers *[2]Timer) {
		if life := &timers[partLife]; life.Armed() {
			end = max(end, time.Duration(w.dueOf(life))*Tick)
		}
		w.stop(&timers[partResend])
		w.stop(&timers[partLife])
	}
	stop(&t.timers)
	if t.waiting != nil {
		w.stop(t.waiting)
	}
	for _, b := range t.branches {
		stop(&b.timers)
	}
	return end
}

// unfold makes an Exchange of a remnant, which the caller holds both.
func (r *remnant) unfold(l *Layer) *Exchange {
	shard := l.shardOf(r.handle())
	x, ok := l.free.Get().(*Exchange)
	if !ok {
		x = &Exchange{layer: l}
	}
	x.mu.Lock()
	x.held, x.over = true, false
	x.handle.Store(r.handle())
	x.mu.Unlock()
	x.shard, x.key, x.method, x.up, x.last = shard, r.key, r.method, r.up, r.last
	x.settled, x.told, x.responded = true, true, int32(r.status)
	legs := []remnantLeg{{try: r.try, status: r.status}}
	if r.more != nil {
		legs, x.Attached, x.src = r.more.legs, r.more.attached, r.more.src
		r.more.swap(x)
	}
	x.timing = &l.Config().Timing
	x.Transaction.again(x, shard.wheel, x.timing, l.now(), r.method == sipframe.INVITE, r.up.Reliable(), int(r.status))
	for i, kept := range legs {
		leg := l.leg()
		leg.Branch = Branch{Index: i, User: leg, of: &x.Transaction, status: int16(kept.status)}
		if leg.request.kind = Client; r.method == sipframe.INVITE {
			leg.request.kind = InviteClient
		}
		if leg.request.state = Terminated; r.method == sipframe.INVITE {
			leg.request.state = Accepted
		}
		for n := range leg.timers {
			leg.timers[n].belong(i, part(n))
		}
		leg.try, leg.Attached = kept.try, kept.attached
		leg.way = proxy.Way{}
		leg.Set.Copy(&unset)
		leg.Set.SetFlags(kept.flags)
		x.legs, x.branches = append(x.legs, leg), append(x.branches, &leg.Branch)
	}
	return x
}

// unset is what is known of where a branch of a remnant's went.
var unset proxy.Branch

// again makes the transaction what it was when it was folded.
func (t *Transaction) again(u User, w *Wheel, timing *Timing, now time.Duration, invite, reliable bool, status int) {
	t.Init(u, w, timing, now, invite, reliable)
	t.status = int16(status)
	if t.server.state = Completed; invite {
		t.server.state = Accepted
	}
}

// take holds the remnant that has the handle. It reports whether it is the caller's now, and whether it is that one: then
// somebody else has it.
func (r *remnant) take(l *Layer, handle uint64) (mine, there bool) {
	there = r.handle() == handle&exchangeMask
	if !there || !r.held.CompareAndSwap(false, true) {
		if there {
			l.shardOf(handle).stat.add(statDropped)
		}
		return false, there
	}
	if r.handle() != handle&exchangeMask { // it has ended meanwhile, and is another's
		r.held.Store(false)
		return false, false
	}
	return true, true
}

// do has f called with an Exchange made of the remnant, which the caller holds and lets go of by that.
func (r *remnant) do(l *Layer, c *proxy.Context, f func(x *Exchange, c *proxy.Context)) {
	x := r.unfold(l)
	x.c, x.rc = c, nil
	f(x, c)
	x.c, x.rc = nil, nil
	if r.more != nil {
		r.more.attached, x.Attached = x.Attached, nil
		for i, leg := range x.Legs() {
			r.more.legs[i].flags, r.more.legs[i].attached = leg.Set.Flags(), leg.Attached
			leg.Attached = nil
		}
		r.more.swap(x)
	}
	r.last, x.last = x.last, nil
	x.mu.Lock()
	x.over = true
	x.handle.Store(0)
	x.mu.Unlock()
	l.recycle(x)
	r.held.Store(false)
}

// response handles a response that was sent to the remnant. It reports whether it is the one with the handle.
func (r *remnant) response(l *Layer, c *proxy.Context, handle uint64) bool {
	mine, there := r.take(l, handle)
	switch {
	case !mine:
	case r.method == sipframe.INVITE && c.Msg.StatusCode() >= 200 && c.Msg.StatusCode() < 300:
		r.do(l, c, func(x *Exchange, c *proxy.Context) { x.response(c, handle) })
	default:
		r.held.Store(false)
	}
	return there
}

// event handles one without a message. It reports the same.
func (r *remnant) event(l *Layer, c *proxy.Context, e *event) bool {
	shard := l.shardOf(e.handle)
	if e.kind == evTimer {
		if r.handle() == e.handle && e.timer == &r.timer && shard.wheel.claim(e.timer) {
			r.end(shard)
		}
		return true
	}
	mine, there := r.take(l, e.handle)
	if !mine {
		return there
	}
	o := l.context(c)
	switch {
	case e.kind == evDo:
		r.do(l, o, e.do)
	case e.kind == evRepeat && r.last != nil:
		shard.stat.add(statResponseT2)
		if err := o.SendUpstream(&r.up, r.last.Bytes()); err != nil {
			o.CountResponse(err, netip.AddrPort{})
		}
		r.held.Store(false)
	default: // what an answered transaction takes no note of
		r.held.Store(false)
	}
	l.putContext(o)
	return true
}

// remnantPatience is how long an end is put off that comes while somebody holds the remnant.
const remnantPatience = time.Second

// end lets go of the remnant.
func (r *remnant) end(shard *shard) {
	l, h := shard.layer, r.handle()
	if !r.held.CompareAndSwap(false, true) {
		shard.wheel.arm(&r.timer, l.now()+remnantPatience, h)
		return
	}
	if more := r.more; more != nil {
		if more.script { // which lets go of that
			x := r.unfold(l)
			x.mu.Lock()
			x.over = true
			x.handle.Store(0)
			x.mu.Unlock()
			l.recycle(x)
			r.last = nil
		}
		r.more = nil
		more.free(l)
	}
	l.requests.remove(r.key, h)
	if r.merge != 0 {
		l.merges.remove(r.merge, h)
	}
	l.table.remove(h)
	r.timer.key.Store(0)
	drop(&r.last)
	l.remnants.Put(r) // held, until it is another's
}
