package reactor

import (
	"hash/maphash"
	"sync/atomic"

	"sipreactor/reactor/internal/datagrams"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/glance"
	"sipreactor/reactor/internal/workers"
)

// shard is a queue of messages, and what its workers have beside it.
type shard struct {
	*workers.Shard[item]

	eng   *Engine
	index int
	bound int // items that may wait

	beats atomic.Uint64 // how many beats the leaders came to
	asked uint64        // how many were asked for; Engine.pulse guards it

	gate datagrams.Gate // of the datagrams that its workers send

	_    [64]byte
	stat figures.ShardCounters
	_    [64]byte
}

func newShard(e *Engine, index, bound int) *shard {
	s := &shard{eng: e, index: index, bound: bound}
	s.Shard = workers.New[item](workers.Config{Members: e.cfg.Waiters, Delay: e.cfg.QueueDelay, Now: e.now, Start: s.start, Eased: e.eased})
	return s
}

// start begins the goroutine of a worker.
func (s *shard) start() {
	s.eng.crew.Add(1)
	w := &Worker{eng: s.eng, shard: s}
	go func() {
		defer s.eng.crew.Done()
		s.Run(&w.member, w.do)
	}()
}

// push queues items, which are of one connection: see workers.Shard.Push.
func (s *shard) push(items []item, bound int) (refused int) {
	low := len(items) > 0 && items[0].conn != nil && items[0].conn.reading.LowPriority()
	return s.Push(items, low, bound)
}

// put queues one item, however many wait.
func (s *shard) put(it item) { s.Push([]item{it}, false, workers.Unbounded) }

// shardOf returns the shard of a message that came: all of a Call-ID go to one, so that a
// dialog stays in order, and a response goes to the one of its request.
func (e *Engine) shardOf(data []byte) int { return e.shardBy(data, glance.IsReply(data)) }

// shardOfOurs returns the shard of a message of ours that comes back: of a request the one
// that its responses go to.
func (e *Engine) shardOfOurs(data []byte) int { return e.shardBy(data, !glance.IsReply(data)) }

// shardBy returns the shard of a message, with answers whether its topmost Via is ours.
func (e *Engine) shardBy(data []byte, answers bool) int {
	if len(e.shards) == 1 {
		return 0
	}
	if answers && e.sharder != nil {
		if i, ok := e.sharder.Shard(glance.Branch(data)); ok && i < len(e.shards) {
			return i
		}
	}
	id := glance.CallID(data)
	if e.renamer != nil {
		id = e.renamer.CallID(id)
	}
	return int(maphash.Bytes(e.seed, id) % uint64(len(e.shards)))
}
