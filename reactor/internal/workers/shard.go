package workers

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/ring"
)

// Item is what a Shard queues.
type Item interface {
	// First reports whether the item goes before the queue: it ends what is under way.
	First() bool
	// Low tells where an item of the low-priority queue is: n is 1 when it begins to
	// wait there and -1 when it is taken. The shard's lock is held.
	Low(n int)
}

// Config is what a Shard is told at the start.
type Config struct {
	Members int           // goroutines at most; at least 1
	Delay   time.Duration // how long an item may wait: see Exceeds
	Now     func() int64  // a clock in nanoseconds; never 0
	// Start begins a goroutine that calls Run once; the shard's lock is held.
	Start func()
	// Eased is called when the leader has taken some of what waits; the shard's lock is
	// held.
	Eased func()
}

// Shard is a queue of items with one leader that works it off in order, and
// followers of which one takes over before the leader waits for something.
type Shard[T Item] struct {
	cfg Config

	mu      sync.Mutex
	work    sync.Cond    // the leader sleeps here
	lead    sync.Cond    // followers sleep here
	first   ring.Ring[T] // before the queue
	queue   ring.Ring[T]
	low     ring.Ring[T] // behind the queue
	led     bool
	asleep  bool // the leader is in work
	lent    bool // somebody has the lead while the leader sleeps
	idle    int  // followers asleep
	members int  // goroutines
	stop    bool

	pace  pace         // mu guards it
	cost  atomic.Int64 // what an item takes, in ns
	wait  atomic.Int64 // how long the last in the queue has to wait, in ns
	last  atomic.Int64 // the same for the last in the low-priority queue
	taken ring.Ring[T] // what the leader has off the queue; whoever leads owns it
	busy  atomic.Int64 // items that are not done
}

// New makes a Shard without a goroutine: see Open.
func New[T Item](cfg Config) *Shard[T] {
	s := &Shard[T]{cfg: cfg}
	s.work.L, s.lead.L = &s.mu, &s.mu
	return s
}

// Open begins the first goroutine.
func (s *Shard[T]) Open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spawn()
}

// Close ends the goroutines when the queue is worked off.
func (s *Shard[T]) Close() {
	s.mu.Lock()
	s.stop = true
	s.mu.Unlock()
	s.work.Broadcast()
	s.lead.Broadcast()
}

// Unbounded is the bound of a Push that refuses nothing.
const Unbounded = math.MaxInt

// Push queues items, low tells whether behind the queue, and wakes the leader. It
// returns how many did not fit, so that no more than bound wait. Any goroutine.
func (s *Shard[T]) Push(items []T, low bool, bound int) (refused int) {
	s.mu.Lock()
	if room := bound - s.waiting(); room < len(items) {
		refused = len(items) - max(room, 0)
		items = items[:len(items)-refused]
	}
	s.busy.Add(int64(len(items)))
	queue := &s.queue
	if low {
		queue = &s.low
	}
	for _, it := range items {
		if it.First() {
			s.first.Push(it)
			continue
		}
		queue.Push(it)
		if low {
			it.Low(1)
		}
	}
	s.foresee()
	wake := s.asleep && !s.lent && len(items) > 0
	s.mu.Unlock()
	if wake {
		s.work.Signal()
	}
	return refused
}

// waiting is how many items wait for the leader. The lock is held.
func (s *Shard[T]) waiting() int { return s.first.Len() + s.queue.Len() + s.low.Len() }

// foresee works out how long what waits will have waited. The lock is held.
func (s *Shard[T]) foresee() {
	cost := s.cost.Load()
	s.wait.Store(cost * int64(s.first.Len()+s.queue.Len()))
	s.last.Store(cost * int64(s.waiting()))
}

// Exceeds reports whether so many more items will wait longer than Config.Delay. What
// is not low waits only for what is not. Any goroutine.
func (s *Shard[T]) Exceeds(low bool, n int) bool {
	wait := s.wait.Load()
	if low {
		wait = s.last.Load()
	}
	return wait+s.cost.Load()*int64(n) >= int64(s.cfg.Delay)
}

// Wait returns how long the last item of all will have waited. Any goroutine.
func (s *Shard[T]) Wait() time.Duration { return time.Duration(s.last.Load()) }

// Busy returns how many items are not done. Any goroutine.
func (s *Shard[T]) Busy() int { return int(s.busy.Load()) }

// Begin counts an item that was never queued; Done, one that is done. Any goroutine.
func (s *Shard[T]) Begin() { s.busy.Add(1) }

// Done: see Begin.
func (s *Shard[T]) Done() { s.busy.Add(-1) }
