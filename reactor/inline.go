package reactor

import (
	"iter"

	"sipreactor/reactor/internal/scheduler"
)

// host is a Worker on a loop. It runs the Handler for messages where they were
// read, which saves the two wake-ups that a worker costs: at low rates those
// are most of what a message costs.
//
// A loop must not wait, and a Handler may (Worker.Send, Worker.Wait). So the
// Handler runs in a coroutine, and one that is about to wait leaves the loop:
// a goroutine carries the coroutine on, stack and all, and the loop takes
// another host. Order stays what it is with workers, because the loop borrows
// the lead of the shard, and only while nobody works on that and nothing waits
// in it.
//
// The loop owns a host until that leaves; then the goroutine does.
type host struct {
	w     *Worker
	loop  *loop
	todo  []item // the bag under way; its array is the loop's
	until int64  // on the engine's clock: what is not begun by then is the shard's
	done  int    // items of todo that were begun
	left  bool   // carried off
	yield func(struct{}) bool
	next  func() (struct{}, bool)
	stop  func()
}

// newHost takes a host with a worker that has been on a loop before, if there
// is one: its Local is worth keeping.
func (l *loop) newHost() *host {
	w, ok := l.eng.resting.Get().(*Worker)
	if !ok {
		w = &Worker{eng: l.eng}
	}
	h := &host{w: w, loop: l}
	w.host = h
	h.next, h.stop = iter.Pull(h.run)
	return h
}

// run is the coroutine.
func (h *host) run(yield func(struct{}) bool) {
	h.yield = yield
	for {
		for h.done < len(h.todo) {
			it := h.todo[h.done]
			h.done++
			h.w.shard.Begin()
			h.w.do(it)
			if h.left {
				return
			}
			if h.done < len(h.todo) && h.loop.eng.now() >= h.until {
				break
			}
		}
		if !yield(struct{}{}) {
			return
		}
	}
}

// handle runs the Handler for the first items of a shard's bag, as far as the
// time reaches, and tells how many those were: 0 when the shard is at work.
// Loop only.
func (l *loop) handle(s *shard, b bag, until int64) int {
	if !s.Lend() {
		return 0
	}
	l.sched.Defer()
	if l.host == nil {
		l.host = l.newHost()
	}
	h := l.host
	h.todo, h.done, h.until = b, 0, until
	h.w.shard, h.w.member.Leading = s, true
	l.burst.Open()
	h.next()
	l.burst.Close(l) // before anybody else has the shard
	done := h.done
	h.todo = nil
	if h.left {
		l.host = nil
		l.sched.Stirred()
		l.eng.crew.Add(1)
		go h.carry()
		return done
	}
	h.w.member.Leading = false
	s.TakeBack()
	return done
}

// leave takes the Handler that is about to wait off the loop. It returns false
// when there are as many waiting goroutines as may be: the Handler then stays,
// and must not wait. It runs in the coroutine, and otherwise returns on another
// goroutine.
func (h *host) leave() bool {
	s := h.w.shard
	if !s.LetGo() {
		s.stat.waitersFull.Add(1)
		return false
	}
	s.stat.takeovers.Add(1)
	h.w.member.Leading = false
	h.left = true
	h.yield(struct{}{})
	return true
}

// carry runs what is left of a host that has left its loop: the item that
// waits.
func (h *host) carry() {
	e, s := h.w.eng, h.w.shard
	defer e.crew.Done()
	h.next()
	h.stop()
	s.Returned()
	h.w.host = nil
	e.resting.Put(h.w)
}

// inline runs the Handler on the loop for what the loop has time for, and
// leaves the rest in the bags. A Handler that takes more of a loop's time than it
// may (scheduler.Allowance), or that mostly waits, is not for a loop.
func (l *loop) inline() {
	if !l.allowed.Takes() {
		return
	}
	slice := int64(l.eng.cfg.Inline)
	began := l.eng.now()
	done := 0
	host := l.host
	for i, b := range l.bags {
		if len(b) == 0 {
			continue
		}
		n := l.handle(l.eng.shards[i], b, began+slice)
		done += n
		rest := copy(b, b[n:])
		clear(b[rest:])
		l.bags[i] = b[:rest]
	}
	if done == 0 {
		return
	}
	took := (l.eng.now() - began) / int64(done)
	if host != nil && host.left {
		took = scheduler.FarTooLong * slice // it waits elsewhere: that alone is no reason
	}
	l.allowed.Took(took, slice)
}
