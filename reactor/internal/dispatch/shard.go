package dispatch

import (
	"sync/atomic"

	"sipreactor/reactor/internal/datagrams"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/peek"
	"sipreactor/reactor/internal/workers"
)

// Shard is a queue of items, and what its workers have beside it.
type Shard struct {
	*workers.Shard[Item]

	Index int
	Gate  datagrams.Gate // of the datagrams that its workers send

	dispatcher *Dispatcher
	beats      atomic.Uint64 // how many the leaders came to
	asked      uint64        // how many were asked for; whoever asks guards it

	_    [64]byte
	Stat figures.ShardCounters
	_    [64]byte
}

func newShard(d *Dispatcher, index int) *Shard {
	s := &Shard{Index: index, dispatcher: d}
	s.Shard = workers.New[Item](workers.Config{Members: d.cfg.Waiters, Delay: d.cfg.Delay, Now: d.cfg.Now, Start: s.start, Eased: d.cfg.Eased})
	return s
}

// start begins the goroutine of a worker.
func (s *Shard) start() {
	s.dispatcher.at.Add(1)
	p := s.dispatcher.cfg.Worker()
	p.shard = s
	go func() {
		defer s.dispatcher.at.Done()
		s.Run(&p.member, p.do)
	}()
}

// Take queues items, which are of one connection, and returns how many at the end of
// them find no room.
func (s *Shard) Take(items []Item) (refused int) { return s.take(items, s.dispatcher.cfg.Bound) }

// TakeUrgent queues an item that found no room if it belongs to what is under way, for
// which there is as much room again. It reports whether it did.
func (s *Shard) TakeUrgent(items []Item) bool {
	return items[0].Kind == Message && peek.Urgent(items[0].Data) && s.take(items[:1], 2*s.dispatcher.cfg.Bound) == 0
}

func (s *Shard) take(items []Item, bound int) (refused int) {
	low := len(items) > 0 && items[0].Conn != nil && items[0].Conn.Reading.LowPriority()
	return s.Push(items, low, bound)
}

// Put queues one item, however many wait.
func (s *Shard) Put(it Item) { s.Push([]Item{it}, false, workers.Unbounded) }

// AskBeat queues a beat, unless one is still in the queue. Calls wait for each other.
func (s *Shard) AskBeat() {
	if s.beats.Load() == s.asked {
		s.asked++
		s.Put(Item{Kind: Beat})
	}
}

// Beat is the leader that has come to a beat.
func (s *Shard) Beat() { s.beats.Add(1) }

// Beats reports whether it has come to all that were asked for. Only who asks calls it.
func (s *Shard) Beats() bool { return s.beats.Load() == s.asked }
