package transaction

import (
	"context"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Who holds an Exchange, and what waits for the holder.

// event is something that happened while an Exchange was held.
type event struct {
	kind   eventKind
	handle uint64
	timer  *Timer
	buf    *sipframe.Buffer
	src    *reactor.Source
	do     func(x *Exchange, c *proxy.Context)
}

type eventKind uint8

const (
	evTimer    eventKind = iota
	evResponse           // buf
	evRepeat
	evAck
	evCancel // buf: its Reason
	evReturned
	evResponseLost
	evDo
)

// maxQueue bounds what waits for the holder. Timers are no more than there are, and a call is not repeated by a peer.
const maxQueue = 64

// hold takes the Exchange that has the handle, or leaves the event in its queue. It reports whether it is the caller's
// now, and whether there is such a one. data, if not nil, is copied where the event has to wait.
func (x *Exchange) hold(handle uint64, e event, data []byte) (mine, there bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.handle.Load() != handle&exchangeMask || x.over {
		return false, false
	}
	if !x.held {
		x.held = true
		return true, true
	}
	if e.kind == evCancel && x.canceledInQueue() >= 0 { // which a peer repeats as often as it likes
		return false, true
	}
	if len(x.queue) >= maxQueue && (e.kind == evResponse || e.kind == evRepeat || e.kind == evAck) {
		x.shard.stat.add(statDropped)
		return false, true
	}
	if data != nil {
		e.buf = hoard(data)
	}
	x.queue = append(x.queue, e)
	return false, true
}

// letGo works off the queue and lets go of the Exchange. c is not in use, or is the holder's with a message of its own.
func (x *Exchange) letGo(c *proxy.Context) {
	for {
		x.mu.Lock()
		if x.over {
			break
		}
		if len(x.queue) == 0 {
			if x.told || !x.settledEnough() {
				break
			}
			x.mu.Unlock()
			x.tellOver() // which may bring something
			continue
		}
		e := x.queue[0]
		copy(x.queue, x.queue[1:])
		x.queue[len(x.queue)-1] = event{}
		x.queue = x.queue[:len(x.queue)-1]
		x.mu.Unlock()
		x.late(c, e)
	}
	over := x.over
	if !over && x.settledEnough() {
		r := x.leave()
		x.mu.Unlock()
		x.fold(r)
		return
	}
	if over { // nothing that waits means anything any more
		x.unqueue()
	} else {
		x.held = false
	}
	x.c, x.rc = nil, nil
	x.mu.Unlock()
	if over {
		x.layer.recycle(x)
	}
}

// unqueue lets go of what waits. The Exchange's mutex is held.
func (x *Exchange) unqueue() {
	for i := range x.queue {
		drop(&x.queue[i].buf)
		x.queue[i] = event{}
	}
	x.queue = x.queue[:0]
}

// late handles an event that has waited.
func (x *Exchange) late(c *proxy.Context, e event) {
	l := x.layer
	o := l.context(c)
	defer l.putContext(o)
	x.c, x.rc = o, nil
	switch e.kind {
	case evResponse:
		if o.Begin(e.buf.Bytes(), e.src) == nil {
			x.response(o, e.handle)
		}
		o.End()
	case evCancel:
		x.canceling(e.buf.Bytes())
	default:
		x.happen(e)
	}
	drop(&e.buf)
}

// happen handles an event that brings no message. The Exchange is the caller's.
func (x *Exchange) happen(e event) {
	now := x.layer.now()
	switch e.kind {
	case evTimer:
		if e.timer.branch >= 0 {
			x.at = x.legs[e.timer.branch]
		}
		x.count(e.timer)
		x.Fire(now, e.timer)
	case evRepeat:
		x.Repeated(now)
	case evAck:
		x.Acknowledged(now)
		if s := x.State(); s == Confirmed || s == Accepted {
			drop(&x.last)
		}
		x.tell(Acked, nil, 0, nil)
	case evReturned:
		if leg := x.legOf(e.handle); leg != nil {
			x.at = leg
			x.Unreachable(now, &leg.Branch)
		}
	case evResponseLost:
		x.Undelivered(now)
	case evDo:
		e.do(x, x.c)
	case evResponse, evCancel: // they bring bytes: see late and deliver
	}
}

// Do has f called by a holder of the Exchange that has the handle, on the worker of c or later on another one. c may be
// nil, or send nothing: then that is a worker of its shard. f gets a Context without a message. It reports whether there is such an
// Exchange. Any goroutine.
func (l *Layer) Do(c *proxy.Context, handle uint64, f func(x *Exchange, c *proxy.Context)) bool {
	if c == nil || !c.Sends() {
		if l.engine == nil || l.table.get(handle) == nil && l.table.left(handle) == nil {
			return false
		}
		l.engine.Post(l.shardOf(handle).index, &errand{l, handle, f})
		return true
	}
	return l.deliver(c, event{kind: evDo, handle: handle, do: f}, nil)
}

// errand is a call that is on its way to a shard.
type errand struct {
	layer  *Layer
	handle uint64
	f      func(x *Exchange, c *proxy.Context)
}

// Run makes the call.
func (e *errand) Run(w *reactor.Worker) {
	c := e.layer.workerContext(w)
	e.layer.Do(c, e.handle, e.f)
	e.layer.putContext(c)
}

// shardOf returns the shard of the transaction that has, or had, a handle.
func (l *Layer) shardOf(handle uint64) *shard { return &l.shards[l.table.partOf(handle)] }

// deliver brings an event without a message to a transaction. It reports whether there is one with its handle.
func (l *Layer) deliver(c *proxy.Context, e event, data []byte) bool {
	var mine, there bool
	x := l.table.get(e.handle)
	if x != nil {
		mine, there = x.hold(e.handle, e, data)
	}
	if e.kind == evCancel { // once it is noted: behind its answer an INVITE that waits is not sent any more
		l.itself(c, func() error { return c.Respond(200, cancelingReason) })
	}
	if !there { // or just no longer
		r := l.table.left(e.handle)
		return r != nil && r.event(l, c, &e)
	}
	if mine {
		o := l.context(c)
		x.c, x.rc = o, nil
		if e.kind == evCancel {
			x.canceling(data)
		} else {
			x.happen(e)
		}
		x.letGo(o)
		l.putContext(o)
	}
	return there
}

type heldKey struct{}

// WithHeld returns a context that says which Exchange the goroutine holds, for a command that it carries out: one that
// is about that Exchange acts at once, where it would wait for the holder otherwise. nil: none.
func WithHeld(ctx context.Context, x *Exchange) context.Context {
	if x == nil {
		return ctx
	}
	return context.WithValue(ctx, heldKey{}, x)
}

// Held returns the Exchange of WithHeld; nil: none.
func Held(ctx context.Context) *Exchange {
	x, _ := ctx.Value(heldKey{}).(*Exchange)
	return x
}
