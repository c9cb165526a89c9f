package gate

import (
	"errors"
	"testing"
	"time"
)

var (
	errGone = errors.New("gone")
	errBusy = errors.New("busy")
	errNo   = errors.New("no answer")
)

func TestGate(t *testing.T) {
	now := time.Unix(1000, 0)
	g := Gate{Config: Config{Most: 3, LateIsGone: 5, Gone: errGone, Busy: errBusy}}
	enter := func(wantProbe bool, want error) {
		t.Helper()
		probe, err := g.Enter(now)
		if probe != wantProbe || !errors.Is(err, want) {
			t.Fatalf("probe %v, %v; want %v, %v", probe, err, wantProbe, want)
		}
		if want == errGone && !errors.Is(err, errNo) {
			t.Fatalf("%v does not tell why", err)
		}
	}
	leave := func(probe bool, how Outcome, want Change) {
		t.Helper()
		if got := g.Leave(now, probe, how, errNo); got != want {
			t.Fatalf("change %v, want %v", got, want)
		}
	}
	for range 3 {
		enter(false, nil)
	}
	enter(false, errBusy)
	leave(false, Answered, NoChange)
	leave(false, Silent, WentDown)
	enter(false, errGone)
	if n, down := g.Waiting(); n != 1 || !down {
		t.Errorf("%d wait, down: %v", n, down)
	}
	leave(false, Silent, NoChange) // was under way when they went
	now = now.Add(FirstBackOff)
	enter(true, nil)
	enter(false, errGone) // one tries, no more
	leave(true, Silent, NoChange)
	now = now.Add(FirstBackOff)
	enter(false, errGone) // the back-off has doubled
	now = now.Add(FirstBackOff)
	enter(true, nil)
	leave(true, Left, NoChange) // who tried went away: the next one tries
	enter(true, nil)
	leave(true, Late, NoChange)
	now = now.Add(LastBackOff)
	enter(true, nil)
	leave(true, Answered, CameBack)
	enter(false, nil)
	leave(false, Answered, NoChange)
	// It begins with a short back-off again.
	enter(false, nil)
	leave(false, Silent, WentDown)
	now = now.Add(FirstBackOff)
	enter(true, nil)
	leave(true, Answered, CameBack)
	if n, down := g.Waiting(); n != 0 || down {
		t.Errorf("%d wait, down: %v", n, down)
	}
}

// Slow is not gone, unless nothing else happens.
func TestSlowIsNotGone(t *testing.T) {
	now := time.Unix(1000, 0)
	g := Gate{Config: Config{Most: 1, LateIsGone: 5, Gone: errGone, Busy: errBusy}}
	end := func(how Outcome, want Change) {
		t.Helper()
		if _, err := g.Enter(now); err != nil {
			t.Fatal(err)
		}
		if got := g.Leave(now, false, how, errNo); got != want {
			t.Fatalf("change %v, want %v", got, want)
		}
	}
	for range 4 {
		end(Late, NoChange)
	}
	end(Answered, NoChange)
	for range 4 {
		end(Late, NoChange)
	}
	end(Late, WentDown)
}

// Servers that stay away are tried at least every two seconds.
func TestLastBackOff(t *testing.T) {
	now := time.Unix(1000, 0)
	g := Gate{Config: Config{Most: 1, LateIsGone: 1, Gone: errGone, Busy: errBusy}}
	for range 20 {
		probe, err := g.Enter(now)
		if err != nil {
			t.Fatal(err)
		}
		g.Leave(now, probe, Silent, errNo)
		now = now.Add(LastBackOff)
	}
}
