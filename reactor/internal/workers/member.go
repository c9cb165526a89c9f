package workers

import "runtime"

// Member is one that works items off: a goroutine of a Shard's, or a borrower of its
// lead. The zero value does not lead. It belongs to the goroutine that has it.
type Member struct {
	// Leading reports whether it has the lead: what it does next is the next item.
	Leading bool

	done uint // items that were led
}

// spareFollowers is how many goroutines of a shard stay when nobody waits.
const spareFollowers = 2

// What the leader takes at a time: of the low-priority queue a turn, of the queue two,
// and as many of what goes first as all those may bring. After a turn it lets a loop
// have its processor: the runtime would take that only after 10 ms.
const (
	Turn      = 16 // of the low-priority queue
	queueTurn = 2 * Turn
	firstTurn = 3 * (queueTurn + Turn)
)

// spawn adds a goroutine. The lock is held.
func (s *Shard[T]) spawn() {
	s.members++
	s.cfg.Start()
}

// Run follows until the member may lead, leads until it hands over, and follows
// again; it returns when the goroutine is not needed any more. do is called for one
// item after the other, and may call HandOver.
func (s *Shard[T]) Run(m *Member, do func(T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for s.led && !s.stop {
			if s.idle >= spareFollowers {
				s.members--
				return
			}
			s.idle++
			s.lead.Wait()
			s.idle--
		}
		if s.led { // stopping, and somebody else leads
			s.members--
			return
		}
		s.led, m.Leading = true, true
		for m.Leading {
			if s.taken.Len() == 0 && !s.fetch() {
				s.led, m.Leading = false, false
				s.members--
				s.lead.Broadcast()
				return
			}
			s.mu.Unlock()
			for m.Leading && s.taken.Len() > 0 {
				do(s.taken.Pop())
				if m.done++; m.done%Turn == 0 {
					runtime.Gosched()
				}
			}
			s.mu.Lock()
		}
	}
}

// fetch sleeps until there is work and takes some; false when the shard stops.
// The lock is held.
func (s *Shard[T]) fetch() bool {
	if cost := s.pace.rest(s.cfg.Now()); cost != 0 {
		s.cost.Store(cost)
	}
	for s.waiting() == 0 || s.lent {
		if s.stop && !s.lent {
			return false
		}
		s.asleep = true
		s.work.Wait()
		s.asleep = false
	}
	for range min(firstTurn, s.first.Len()) {
		s.taken.Push(s.first.Pop())
	}
	for range min(queueTurn, s.queue.Len()) {
		s.taken.Push(s.queue.Pop())
	}
	for range min(Turn, s.low.Len()) {
		it := s.low.Pop()
		it.Low(-1)
		s.taken.Push(it)
	}
	s.pace.begin(s.cfg.Now(), s.taken.Len())
	s.foresee()
	s.cfg.Eased()
	return true
}

// HandOver makes a follower the leader, before the leader waits. It returns false
// when there are as many goroutines as may be (Config.Members): the leader then must
// not wait.
func (s *Shard[T]) HandOver(m *Member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == 0 {
		if s.members >= s.cfg.Members {
			return false
		}
		s.spawn()
	}
	m.Leading = false
	s.led = false
	s.lead.Signal()
	return true
}

// Waiting returns how many goroutines wait for something. Any goroutine.
func (s *Shard[T]) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.members - s.idle
	if s.led {
		n--
	}
	return n
}

// Asleep reports whether the leader has nothing to do. Any goroutine.
func (s *Shard[T]) Asleep() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asleep
}

// Spare reports whether no more goroutines are there than stay when nobody waits. Any
// goroutine.
func (s *Shard[T]) Spare() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.members <= spareFollowers+1
}
