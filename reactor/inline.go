package reactor

import (
	"sipreactor/reactor/internal/scheduler"
	"sipreactor/reactor/internal/workers"
)

// host is a Worker on a loop: it runs the Handler for messages where they were read, and
// leaves the loop with one that is about to wait (Worker.Send, Worker.Wait). The loop owns
// it until it leaves; then the goroutine does that carries it on.
type host struct {
	*workers.Inline[item]
	w    *Worker
	loop *loop
}

// newHost takes a host with a worker that has been on a loop before, if there
// is one: its Local is worth keeping.
func (l *loop) newHost() *host {
	w, ok := l.eng.resting.Get().(*Worker)
	if !ok {
		w = &Worker{eng: l.eng}
	}
	w.host = &host{workers.NewInline(&w.member, l.eng.now, w.do), w, l}
	return w.host
}

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
	l.burst.Open()
	done := h.Run(s.Shard, b, until)
	l.burst.Close(l) // before anybody else has the shard
	if !h.Left() {
		h.Return()
		return done
	}
	l.host = nil
	l.sched.Stirred()
	l.eng.crew.Add(1)
	go h.carry()
	return done
}

// carry runs what is left of a host that has left its loop: the item that
// waits.
func (h *host) carry() {
	e := h.w.eng
	defer e.crew.Done()
	h.Carry()
	h.w.host = nil
	e.resting.Put(h.w)
}

// inline runs the Handler on the loop for what the loop has time for, and
// leaves the rest where it is. A Handler that takes more of a loop's time than it
// may (scheduler.Allowance), or that mostly waits, is not for a loop.
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
	if host != nil && host.Left() {
		took = scheduler.FarTooLong * slice // it waits elsewhere: that alone is no reason
	}
	l.allowed.Took(took, slice)
}
