package dispatch

import (
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/scheduler"
	"sipreactor/reactor/internal/workers"
)

// Loop is what an Inline asks of its loop.
type Loop interface {
	// Defer puts off wake-ups of the loop: it will look.
	Defer()
	// Stirred tells that other goroutines were set to work.
	Stirred()
	// WaitOver has Inline.CarryOn called, soon. Any goroutine.
	WaitOver()
	// FlushSoon has what a Handler has put into a connection's send queue written, whichever
	// loop has that.
	FlushSoon(c *connection.Conn)
	// Lent and Returned are called when items of a shard begin to run on the loop, and
	// before anybody else has the shard.
	Lent()
	Returned()
}

// Inline runs the Handler on a loop for what that has time for. The loop owns it; what
// waits is carried on there, or on a goroutine. A Handler that takes more of a loop's time
// than it may (scheduler.Allowance), or that mostly blocks, is not for a loop.
type Inline struct {
	dispatcher *Dispatcher
	loop       Loop
	index      int   // of the loop
	slice      int64 // for how long it runs the Handler for what one read brought, in ns; 0: not at all

	host    *host   // runs the Handler; nil until it is needed
	hosts   []*host // others that nothing runs on
	resumed resumed // hosts whose wait is over
	allowed scheduler.Allowance
}

// Init readies it for a loop of that number.
func (in *Inline) Init(d *Dispatcher, l Loop, index int, slice time.Duration) {
	in.dispatcher, in.loop, in.index, in.slice = d, l, index, int64(slice)
	in.resumed.in = in
}

// host is a place on a loop: it runs the Handler for items where they were read, and leaves
// the loop with one that is about to wait. Where the wait blocks (StandAside) a goroutine
// carries it on; where it does not (Await) the loop does, when it is resumed. The loop owns
// it until a goroutine has it; then that does.
type host struct {
	*workers.Inline[Item]
	place *Place
	in    *Inline

	blocks bool // it waits, or has waited, on a goroutine
	wait   atomic.Uint32
	again  func() // resume, made once
}

// What a host's wait without a goroutine has come to.
const (
	waitBegins uint32 = iota
	waitParked        // the loop has it off its hands
	waitOver          // it was resumed
)

// newHost takes a host that the loop has had before, or one with a place that has been on
// a loop before, if there is one: what its worker keeps is worth keeping.
func (in *Inline) newHost() *host {
	if n := len(in.hosts); n > 0 {
		h := in.hosts[n-1]
		in.hosts = in.hosts[:n-1]
		return h
	}
	p, ok := in.dispatcher.resting.Get().(*Place)
	if !ok {
		p = in.dispatcher.cfg.Worker()
	}
	h := &host{Inline: workers.NewInline(&p.member, in.dispatcher.cfg.Now, p.do), place: p, in: in}
	h.again = h.resume
	p.host = h
	return h
}

// spareHosts is how many hosts a loop keeps that nothing runs on.
const spareHosts = 64

// handle runs the Handler for the first items for a shard, as far as the time reaches, and
// tells how many those were: 0 when the shard is at work; and whether the last one blocks.
func (in *Inline) handle(s *Shard, b []Item, until int64) (done int, blocks bool) {
	if !s.Lend() {
		return 0, false
	}
	in.loop.Defer()
	if in.host == nil {
		in.host = in.newHost()
	}
	h := in.host
	h.place.shard = s
	in.loop.Lent()
	done = h.Run(s.Shard, b, until)
	in.loop.Returned()
	if !h.Left() {
		h.Return()
		return done, false
	}
	in.host = nil
	in.dispatcher.at.Add(1)
	blocks = h.blocks // before a goroutine has it
	in.left(h)
	return done, blocks
}

// left sees to a host that has left its shard, where its item is over or pauses.
func (in *Inline) left(h *host) {
	switch {
	case h.Over():
		in.dispatcher.at.Done()
		if len(in.hosts) < spareHosts {
			h.Again()
			in.hosts = append(in.hosts, h)
			return
		}
		h.rest()
	case h.blocks:
		in.loop.Stirred()
		go h.carry()
	case !h.wait.CompareAndSwap(waitBegins, waitParked): // it was resumed meanwhile
		in.resumed.put(h)
	}
}

// carry runs what is left of a host that has left its loop for good: the item that
// waits.
func (h *host) carry() {
	defer h.in.dispatcher.at.Done()
	h.Carry()
	h.rest()
}

// rest ends a host. Its place may be another one's.
func (h *host) rest() {
	h.Stop()
	h.place.host = nil
	h.in.dispatcher.resting.Put(h.place)
}

// Run runs the Handler for items by shard, as far as there is time, and leaves the rest in
// them.
func (in *Inline) Run(frames [][]Item) {
	if in.slice <= 0 || !in.allowed.Takes() {
		return
	}
	now := in.dispatcher.cfg.Now
	began := now()
	done, blocked := 0, false
	for i, b := range frames {
		if len(b) == 0 {
			continue
		}
		n, blocks := in.handle(in.dispatcher.Shards[i], b, began+in.slice)
		done, blocked = done+n, blocked || blocks
		rest := copy(b, b[n:])
		clear(b[rest:])
		frames[i] = b[:rest]
	}
	if done == 0 {
		return
	}
	took := (now() - began) / int64(done)
	if blocked {
		took = scheduler.FarTooLong * in.slice // it waits elsewhere: that alone is no reason
	}
	in.allowed.Took(took, in.slice)
}
