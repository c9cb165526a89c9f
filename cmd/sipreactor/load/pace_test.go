package load

import (
	"context"
	"testing"
	"time"
)

func TestPaceMakesUpForDelays(t *testing.T) {
	var due []time.Time
	err := Pace(t.Context(), 1000, 50*time.Millisecond, func(at time.Time) {
		if len(due) == 0 {
			time.Sleep(20 * time.Millisecond) // a start that is held up
		}
		due = append(due, at)
	})
	if err != nil || len(due) != 50 {
		t.Fatalf("%d starts, %v", len(due), err)
	}
	for i := 1; i < len(due); i++ {
		if d := due[i].Sub(due[i-1]); d != time.Millisecond {
			t.Fatalf("start %d is due %v after the one before", i, d)
		}
	}
}

func TestPaceNeverStartsEarly(t *testing.T) {
	err := Pace(t.Context(), 500, 100*time.Millisecond, func(due time.Time) {
		if early := time.Until(due); early > 0 {
			t.Errorf("started %v before it was due", early)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPaceEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	starts := 0
	done := make(chan error, 1)
	go func() {
		done <- Pace(ctx, 0.5, time.Hour, func(time.Time) {
			starts++
			cancel() // before it goes to sleep for two seconds
		})
	}()
	if err := <-done; err != nil || starts != 1 {
		t.Errorf("%d starts, %v", starts, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	started := make(chan struct{}, 1)
	go func() {
		done <- Pace(ctx, 0.001, 2*time.Hour, func(time.Time) { started <- struct{}{} })
	}()
	<-started
	cancel()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("asleep though the context is over")
	}
}
