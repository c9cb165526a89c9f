package reactor

import (
	"context"
	"fmt"
)

// Pulse waits until every event loop and every shard of messages has come round
// once, and gives an error when one has not by the end of ctx. What is asked goes
// the way of the work itself: a loop that is stuck in a callback, and a shard
// whose leader is stuck in a message, do not answer. Any goroutine; calls wait for
// each other.
func (e *Engine) Pulse(ctx context.Context) error {
	e.pulse.Lock()
	defer e.pulse.Unlock()
	shards := e.shards
	for _, s := range shards {
		s.askBeat()
	}
	late := make(map[*loop]uint64)
	e.eachLoop(func(l *loop) {
		late[l] = l.ticks.Load()
		l.tick()
	})
	loops, stuck := len(late), 0
	err := until(ctx, func() bool {
		for l, before := range late {
			if l.ticks.Load() != before {
				delete(late, l)
			}
		}
		stuck = 0
		for _, s := range shards {
			if s.beats.Load() != s.asked {
				stuck++
			}
		}
		return len(late) == 0 && stuck == 0
	})
	if err != nil {
		return fmt.Errorf("reactor: %d of %d event loops and %d of %d shards do not come round: %w",
			len(late), loops, stuck, len(shards), err)
	}
	return nil
}

// askBeat queues a beat, unless one is still in the queue. The caller holds
// Engine.pulse.
func (s *shard) askBeat() {
	if s.beats.Load() == s.asked {
		s.asked++
		s.put(item{kind: itemBeat})
	}
}
