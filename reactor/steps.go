package reactor

import "sipreactor/reactor/internal/phase"

// steps are handshakes that a loop computes itself, when it has read all that
// was there: to hand a machine to a handshaker and to take it back costs two
// wake-ups, as much as a short step. In each round the loop takes as many as it
// has time for (Config.InlineHandshake), behind the traffic, and keeps a few for
// the next round; the handshakers get the rest, and every step of a kind that turns out to be long: signatures
// with RSA in Go, say, or rare curves. All belongs to the loop's goroutine.
type steps struct {
	queue []*conn
	spare []*conn // the queue that was worked off last
	kinds [2][2]stepKind
	meter meter
}

// stepKind is what steps of one kind take: the first of an accepted connection
// signs, the first of ours does not, later ones verify or compute little.
type stepKind struct {
	cost  int64 // on average, ns
	leave int   // steps that are left to the handshakers
}

// kindOf gives the kind of a connection's next step.
func (s *steps) kindOf(c *conn) *stepKind {
	side, later := 0, 0
	if c.src.Outbound {
		side = 1
	}
	if c.hs.later {
		later = 1
	}
	return &s.kinds[side][later]
}

// longStep is how many times the time of a round a step may take on average: it
// then is the only one of its round.
const longStep = 3

// keptSteps is how many steps may wait for the loop's next round. More than that
// are worth a handshaker's wake-up, and need its core.
const keptSteps = 8

// leaveSteps is how many steps of a kind the handshakers get when it takes too
// long on average.
const leaveSteps = 256

// takes tells whether the loop may compute a connection's next step.
func (s *steps) takes(c *conn) bool {
	if c.eng.cfg.InlineHandshake <= 0 {
		return false
	}
	k := s.kindOf(c)
	if k.leave > 0 {
		k.leave--
		return false
	}
	return true
}

// took notes what a step took, which may take limit. One that was
// held up, by the kernel perhaps, says nothing yet.
func (k *stepKind) took(ns, limit int64) {
	k.cost += (min(ns, 4*limit) - k.cost) / 16
	if k.cost > limit {
		k.cost, k.leave = limit/2, leaveSteps
	}
}

// compute has the machine's next step computed: by the loop, soon, or by a
// handshaker.
func (l *loop) compute(c *conn) {
	h := c.hs
	h.busy = true
	h.feed, h.inbox = h.inbox, h.feed[:0]
	if !l.steps.takes(c) {
		l.submit(c)
		return
	}
	l.steps.queue = append(l.steps.queue, c)
}

// submit leaves a connection's next step to the handshakers.
func (l *loop) submit(c *conn) {
	l.awaiting.stirred = true
	l.eng.handshakers.submit(c)
}

// soon is the end of a callback for the queue: it is worked off now, if there is
// nothing to be read, or else when the loop has read that.
func (l *loop) soon() {
	if len(l.steps.queue) == 0 {
		return
	}
	l.mu.Lock()
	woken := l.woken
	l.mu.Unlock()
	if woken {
		return
	}
	if l.poll.Idle() {
		l.step()
		l.settle()
		l.drop()
	}
	l.again()
}

// again has the loop come back to what is left in the queue.
func (l *loop) again() {
	if len(l.steps.queue) == 0 {
		return
	}
	l.mu.Lock()
	first := l.mustWake()
	l.mu.Unlock()
	if first {
		l.own = true
		l.poll.Wake()
	}
}

// step works off the queue.
func (l *loop) step() {
	if len(l.steps.queue) == 0 {
		return
	}
	s := &l.steps
	list := s.queue
	s.queue = s.spare[:0]
	limit := int64(l.eng.cfg.InlineHandshake)
	s.meter.start(l.eng.now())
	left := limit
	for i, c := range list {
		list[i] = nil
		if left <= 0 {
			if len(s.queue) < keptSteps {
				s.queue = append(s.queue, c)
			} else {
				l.submit(c)
			}
			continue
		}
		if c.phase != phase.Closed {
			k := s.kindOf(c)
			c.hs.compute()
			cost := s.meter.lap(l.eng.now())
			k.took(cost, longStep*limit)
			left -= cost
		}
		l.handshaken(c)
	}
	s.spare = list[:0]
}

// compute is a step of the machine's. Its owner calls it.
func (h *handshake) compute() {
	if len(h.feed) > 0 {
		h.machine.Feed(h.feed)
	}
	h.err = h.machine.Handshake()
	h.later = true
}

// stop frees the machines that wait for a loop which does not run any more.
func (s *steps) stop() {
	for _, c := range s.queue {
		if c.codec != nil {
			c.codec.Stop()
		}
	}
	s.queue = nil
}
