package reactor

import "sync"

// Await has the message under way wait for something that comes from elsewhere, and returns
// when resume is called: once, by any goroutine. A follower takes the shard over meanwhile.
// begin, which must not block, sees to it that resume will be called. Where the Handler runs
// on a loop no goroutine waits: the loop does other things, and goes on here when it can.
// begin is told which loop that is (Engine.OpenLine), -1 for none. Await returns false without
// a call of begin when as many messages wait as may (Config.Waiters).
func (w *Worker) Await(begin func(loop int, resume func())) bool {
	if !w.aside() {
		return false
	}
	if h := w.host; h != nil && !h.blocks {
		h.wait.Store(waitBegins)
		begin(h.loop.index, h.again)
		if h.wait.Load() != waitOver {
			h.Pause()
		}
		return true
	}
	over := make(chan struct{})
	begin(-1, func() { close(over) })
	<-over
	return true
}

// resume ends a host's wait. Any goroutine.
func (h *host) resume() {
	if h.wait.Swap(waitOver) == waitParked {
		h.loop.resumed.put(h)
	}
}

// resumed are the hosts of a loop whose wait is over.
type resumed struct {
	loop *loop

	mu    sync.Mutex
	over  []*host
	spare []*host // the list that was worked off last
	ended bool    // the loop has
}

// put has the loop carry a host on. Any goroutine.
func (q *resumed) put(h *host) {
	q.mu.Lock()
	if q.ended {
		q.mu.Unlock()
		h.blocks = true
		go h.carry()
		return
	}
	q.over = append(q.over, h)
	q.mu.Unlock()
	q.loop.sched.Raise(signalOver)
}

// take gives what is there; the list is the loop's until the next call.
func (q *resumed) take() []*host {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.over
	q.over, q.spare = q.spare[:0], list
	return list
}

// carryOn goes on with the messages whose wait is over, here if the Handler is for a loop.
// Loop only.
func (l *loop) carryOn() {
	list := l.resumed.take()
	for _, h := range list {
		if !l.allowed.Takes() {
			h.blocks = true
			l.left(h)
			continue
		}
		began := l.eng.now()
		h.Carry()
		l.allowed.Took(l.eng.now()-began, int64(l.eng.cfg.Inline))
		l.left(h)
	}
	clear(list)
}

// endWaits leaves what waits to goroutines. The loop has ended.
func (l *loop) endWaits() {
	l.resumed.mu.Lock()
	l.resumed.ended = true
	list := l.resumed.over
	l.resumed.over = nil
	l.resumed.mu.Unlock()
	for _, h := range list {
		h.blocks = true
		go h.carry()
	}
	for _, h := range l.hosts {
		h.Stop()
	}
	l.hosts = nil
	if l.host != nil {
		l.host.Stop()
		l.host = nil
	}
}
