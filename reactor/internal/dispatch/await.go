package dispatch

import "sync"

// resume ends a host's wait. Any goroutine.
func (h *host) resume() {
	if h.wait.Swap(waitOver) == waitParked {
		h.in.resumed.put(h)
	}
}

// resumed are the hosts of a loop whose wait is over.
type resumed struct {
	in *Inline

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
	q.in.loop.WaitOver()
}

// take gives what is there; the list is the loop's until the next call.
func (q *resumed) take() []*host {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.over
	q.over, q.spare = q.spare[:0], list
	return list
}

// CarryOn goes on with the items whose wait is over, here if the Handler is for a loop.
func (in *Inline) CarryOn() {
	list := in.resumed.take()
	for _, h := range list {
		if !in.allowed.Takes() {
			h.blocks = true
			in.left(h)
			continue
		}
		began := in.dispatcher.cfg.Now()
		h.Carry()
		in.allowed.Took(in.dispatcher.cfg.Now()-began, in.slice)
		in.left(h)
	}
	clear(list)
}

// End leaves what waits to goroutines. The loop has ended.
func (in *Inline) End() {
	in.resumed.mu.Lock()
	in.resumed.ended = true
	list := in.resumed.over
	in.resumed.over = nil
	in.resumed.mu.Unlock()
	for _, h := range list {
		h.blocks = true
		go h.carry()
	}
	for _, h := range in.hosts {
		h.Stop()
	}
	in.hosts = nil
	if in.host != nil {
		in.host.Stop()
		in.host = nil
	}
}
