package transaction

import (
	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// make takes an Exchange from the pool, held. nil: there is no room.
func (l *Layer) make(w *reactor.Worker) *Exchange {
	x, ok := l.free.Get().(*Exchange)
	if !ok {
		x = &Exchange{layer: l}
	}
	x.shard = &l.shards[w.Shard()%len(l.shards)]
	h := l.table.add(x, x.shard.index)
	if h == 0 {
		l.free.Put(x)
		return nil
	}
	x.mu.Lock()
	x.held, x.over = true, false
	x.handle.Store(h)
	x.mu.Unlock()
	x.timing = &l.Config().Timing
	return x
}

// drop gives an Exchange back that never began.
func (x *Exchange) drop() {
	x.mu.Lock()
	x.over = true
	x.unqueue() // a copy may have found it already
	x.mu.Unlock()
	h := x.handle.Swap(0)
	x.layer.table.remove(h)
	x.layer.free.Put(x)
}

// recycle takes memory back whose transaction is over.
func (l *Layer) recycle(x *Exchange) {
	if s := l.user(); s != nil {
		s.Release(x)
	}
	l.reuse(x)
}

// reuse is recycle for an Exchange with which the Script keeps nothing.
func (l *Layer) reuse(x *Exchange) {
	x.settle()
	drop(&x.request)
	drop(&x.last)
	l.putBase(x)
	for i, leg := range x.legs {
		drop(&leg.sent)
		drop(&leg.response)
		l.putChanges(leg)
		leg.Attached = nil
		x.legs[i] = nil
		l.legs.Put(leg)
	}
	x.legs = x.legs[:0]
	if x.times != nil {
		l.timings.Put(x.times)
		x.times = nil
	}
	clear(x.listeners)
	x.listeners = x.listeners[:0]
	clear(x.attached)
	x.attached, x.implied = x.attached[:0], false
	x.Attached, x.origin, x.src, x.at, x.merged = nil, nil, nil, nil, false
	x.responded, x.answered, x.breadth, x.indexed = 0, 0, 0, false
	x.invited.Store(0)
	x.kept, x.dropped, x.settled, x.told = false, false, false, false
	x.accepted.Store(false)
	x.noFail = false
	if w := x.words; w != nil {
		w.cancel, w.headers = w.cancel[:0], w.headers[:0]
	}
	l.free.Put(x)
}

// context returns a Context that sends by what c sends by.
func (l *Layer) context(c *proxy.Context) *proxy.Context {
	o := l.takeContext(c.Sender())
	o.Bind(c)
	return o
}

// workerContext returns a Context that sends by a worker.
func (l *Layer) workerContext(w *reactor.Worker) *proxy.Context {
	o := l.takeContext(w)
	o.BindWorker(w)
	return o
}

func (l *Layer) takeContext(s proxy.Sender) *proxy.Context {
	if o, ok := l.contexts.Get().(*proxy.Context); ok {
		return o
	}
	return l.proxy.NewContext(s)
}

func (l *Layer) putContext(o *proxy.Context) {
	o.Transaction = nil
	l.contexts.Put(o)
}

// takeTiming takes times from the pool.
func (l *Layer) takeTiming() *Timing {
	if t, ok := l.timings.Get().(*Timing); ok {
		return t
	}
	return new(Timing)
}

// takeChanges takes changes from the pool.
func (l *Layer) takeChanges() *proxy.Changes {
	if c, ok := l.changes.Get().(*proxy.Changes); ok {
		return c
	}
	return new(proxy.Changes)
}

// giveChanges gives changes back.
func (l *Layer) giveChanges(c *proxy.Changes) {
	c.Forget()
	l.changes.Put(c)
}

func (l *Layer) putBase(x *Exchange) {
	if x.base != nil {
		l.giveChanges(x.base)
		x.base = nil
	}
}

func (l *Layer) putChanges(leg *Leg) {
	if leg.own != nil {
		l.giveChanges(leg.own)
		leg.own = nil
	}
}

// leg takes a Leg from the pool.
func (l *Layer) leg() *Leg {
	leg, ok := l.legs.Get().(*Leg)
	if !ok {
		leg = new(Leg)
	}
	leg.Branch.User = leg
	leg.try, leg.received, leg.unheard, leg.Minor = 0, 0, 0, false
	return leg
}

func (l *Layer) putLeg(leg *Leg) {
	l.putChanges(leg)
	drop(&leg.sent)
	drop(&leg.response)
	leg.Attached = nil
	l.legs.Put(leg)
}
