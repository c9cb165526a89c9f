package reactor

import (
	"sync/atomic"

	"sipreactor/reactor/internal/scheduler"
	"sipreactor/reactor/internal/workers"
)

// host is a Worker on a loop: it runs the Handler for messages where they were read, and
// leaves the loop with one that is about to wait. Where the wait blocks (Worker.Send,
// Worker.Wait) a goroutine carries it on; where it does not (Worker.Await) the loop does,
// when it is resumed. The loop owns it until a goroutine has it; then that does.
type host struct {
	*workers.Inline[item]
	w    *Worker
	loop *loop

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

// newHost takes a host that the loop has had before, or one with a worker that has been on
// a loop before, if there is one: its Local is worth keeping.
func (l *loop) newHost() *host {
	if n := len(l.hosts); n > 0 {
		h := l.hosts[n-1]
		l.hosts = l.hosts[:n-1]
		return h
	}
	w, ok := l.eng.resting.Get().(*Worker)
	if !ok {
		w = &Worker{eng: l.eng}
	}
	h := &host{Inline: workers.NewInline(&w.member, l.eng.now, w.do), w: w, loop: l}
	h.again = h.resume
	w.host = h
	return h
}

// spareHosts is how many hosts a loop keeps that nothing runs on.
const spareHosts = 64

// handle runs the Handler for the first frames for a shard, as far as the
// time reaches, and tells how many those were: 0 when the shard is at work.
// Loop only.
func (l *loop) handle(s *shard, b []item, until int64) int {
	if !s.Lend() {
		return 0
	}
	l.sched.Defer()
	if l.host == nil {
		l.host = l.newHost()
	}
	h := l.host
	h.w.shard = s
	l.lent = true // a panic of more than the Handler ends the process: see guard
	l.burst.Open()
	done := h.Run(s.Shard, b, until)
	l.burst.Close(l) // before anybody else has the shard
	l.lent = false
	if !h.Left() {
		h.Return()
		return done
	}
	l.host = nil
	l.eng.crew.Add(1)
	l.left(h)
	return done
}

// left sees to a host that has left its shard, where its item is over or pauses. Loop only.
func (l *loop) left(h *host) {
	switch {
	case h.Over():
		l.eng.crew.Done()
		if len(l.hosts) < spareHosts {
			h.Again()
			l.hosts = append(l.hosts, h)
			return
		}
		h.rest()
	case h.blocks:
		l.sched.Stirred()
		go h.carry()
	case !h.wait.CompareAndSwap(waitBegins, waitParked): // it was resumed meanwhile
		l.resumed.put(h)
	}
}

// carry runs what is left of a host that has left its loop for good: the item that
// waits.
func (h *host) carry() {
	defer h.w.eng.crew.Done()
	h.Carry()
	h.rest()
}

// rest ends a host. Its worker may be another one's.
func (h *host) rest() {
	h.Stop()
	h.w.host = nil
	h.w.eng.resting.Put(h.w)
}

// inline runs the Handler on the loop for what the loop has time for, and
// leaves the rest where it is. A Handler that takes more of a loop's time than it
// may (scheduler.Allowance), or that mostly blocks, is not for a loop.
func (l *loop) inline() {
	if !l.allowed.Takes() {
		return
	}
	slice := int64(l.eng.cfg.Inline)
	began := l.eng.now()
	done := 0
	host := l.host
	for i, b := range l.frames {
		if len(b) == 0 {
			continue
		}
		n := l.handle(l.eng.shards[i], b, began+slice)
		done += n
		rest := copy(b, b[n:])
		clear(b[rest:])
		l.frames[i] = b[:rest]
	}
	if done == 0 {
		return
	}
	took := (l.eng.now() - began) / int64(done)
	if host != nil && host.blocks {
		took = scheduler.FarTooLong * slice // it waits elsewhere: that alone is no reason
	}
	l.allowed.Took(took, slice)
}
