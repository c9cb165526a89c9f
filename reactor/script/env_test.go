package script

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// What runs every second reads the listeners' addresses, which the engine writes as it opens them.
func TestEveryWaitsForTheSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := make(chan struct{})
		e := &Env{Surroundings: Surroundings{Log: slog.New(slog.DiscardHandler), Running: running}}
		e.ctx, e.cancel = context.WithCancel(t.Context())
		ran := 0
		e.Every(time.Second, func(context.Context) { ran++ })
		time.Sleep(5 * time.Second) // of the fake clock, as below: five runs that are not to be
		synctest.Wait()
		if ran != 0 {
			t.Errorf("it ran %d times before the sockets were open", ran)
		}
		close(running)
		time.Sleep(3500 * time.Millisecond) // between two runs
		e.end()
		if ran != 3 {
			t.Errorf("it ran %d times in three seconds", ran)
		}
	})
}

// A start that fails opens none: what waits for them ends.
func TestEveryEndsBeforeTheSockets(t *testing.T) {
	e := &Env{Surroundings: Surroundings{Running: make(chan struct{})}}
	e.ctx, e.cancel = context.WithCancel(t.Context())
	e.Every(time.Millisecond, func(context.Context) { t.Error("it ran") })
	e.end()
}
