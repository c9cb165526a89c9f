package cachedb_redis

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestGate(t *testing.T) {
	now := time.Unix(1e9, 0)
	var g gate
	refused := errors.New("refused")
	run := func(err error) error {
		probe, no := g.enter(now)
		if no == nil {
			g.leave(now, probe, err)
		}
		return no
	}
	for range lateIsGone - 1 {
		_ = run(context.DeadlineExceeded)
	}
	if run(nil) != nil || run(context.DeadlineExceeded) != nil || run(nil) != nil {
		t.Error("a server that is slow is gone")
	}
	for range lateIsGone {
		if err := run(context.DeadlineExceeded); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(nil); !errors.Is(err, errGone) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("late: %v", err)
	}
	now = now.Add(firstBackOff)
	probe, err := g.enter(now)
	if !probe || err != nil {
		t.Fatalf("%v, %v", probe, err)
	}
	if _, err := g.enter(now); !errors.Is(err, errGone) {
		t.Errorf("a second one tries: %v", err)
	}
	g.leave(now, probe, refused)
	now = now.Add(firstBackOff)
	if err := run(nil); !errors.Is(err, refused) {
		t.Errorf("the back-off does not grow: %v", err)
	}
	now = now.Add(lastBackOff)
	if run(nil) != nil || run(nil) != nil {
		t.Error("it is not back")
	}
	if run(refused) != nil || !errors.Is(run(nil), errGone) {
		t.Error("one that refuses is not gone at once")
	}
	now = now.Add(lastBackOff)
	if run(nil) != nil {
		t.Error("it is not back")
	}
	for range maxWaiting {
		if _, err := g.enter(now); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(nil); err != errBusy {
		t.Errorf("too many: %v", err)
	}
}
