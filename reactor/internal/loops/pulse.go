package loops

import (
	"context"
	"fmt"
	"time"
)

// Pulse waits until every loop and every shard has come round once. Calls wait for each
// other.
func (a *Common) Pulse(ctx context.Context) error {
	a.pulse.Lock()
	defer a.pulse.Unlock()
	shards := a.Dispatcher.Shards
	for _, s := range shards {
		s.AskBeat()
	}
	late := make(map[*Loop]uint64)
	a.Each(func(l *Loop) {
		late[l] = l.Ticks.Load()
		l.ASecond()
	})
	loops, stuck := len(late), 0
	err := Until(ctx, func() bool {
		for l, before := range late {
			if l.Ticks.Load() != before {
				delete(late, l)
			}
		}
		stuck = 0
		for _, s := range shards {
			if !s.Beats() {
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

// Until looks for a condition every millisecond.
func Until(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
