package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

const mib = 1 << 20

// fakeHeap is a runtime whose figures a test sets.
type fakeHeap struct {
	heapReading
	percents []int
	trims    int
	after    uint64 // what is held after memory is given back
}

func (f *fakeHeap) keeper() *heapKeeper {
	return &heapKeeper{
		target: true, percent: 100, connections: func() int { return f.conns },
		read:       func() heapReading { return f.heapReading },
		setPercent: func(p int) { f.percents = append(f.percents, p) },
		giveBack: func() {
			f.trims++
			f.held, f.live = f.after, f.after
		},
	}
}

// Memory goes back when the program is quiet and much is held, and once.
func TestHeapGoesBackWhenQuiet(t *testing.T) {
	f := &fakeHeap{heapReading: heapReading{live: 4 * mib, held: 5 * mib}, after: 4 * mib}
	k := f.keeper()
	k.step()
	if f.trims != 0 {
		t.Fatalf("%d collections at the start, when nothing is to be had", f.trims)
	}

	f.held, f.live, f.allocated, f.conns = 140*mib, 70*mib, 600*mib, 10000
	k.step()
	if f.trims != 0 {
		t.Fatal("a busy program gave memory back")
	}
	f.after = 70 * mib
	k.step()
	if f.trims != 1 {
		t.Fatalf("%d collections when it became quiet, want 1", f.trims)
	}
	for range 10 {
		f.allocated += mib
		k.step()
	}
	if f.trims != 1 {
		t.Fatalf("%d collections, though nothing has changed since the first", f.trims)
	}

	// The connections leave. The runtime's figures do not show it yet.
	f.conns, f.allocated, f.after = 0, f.allocated+2*mib, 6*mib
	k.step()
	if f.trims != 2 || f.held != 6*mib {
		t.Fatalf("%d collections when all connections had left, want 2", f.trims)
	}
	k.step()
	if f.trims != 2 {
		t.Error("collected for nothing")
	}
	f.conns = heapFewer / 2
	k.step()
	f.conns = 0
	k.step()
	if f.trims != 2 {
		t.Error("collected because a handful of connections came and went")
	}
}

// A trickle of garbage is collected now and then, not at every look.
func TestHeapRests(t *testing.T) {
	f := &fakeHeap{heapReading: heapReading{live: 20 * mib, held: 20 * mib}, after: 20 * mib}
	k := f.keeper()
	for range 6 * heapRest {
		k.step()
		f.held, f.allocated = 40*mib, f.allocated+2*mib
	}
	if f.trims < 5 || f.trims > 7 {
		t.Errorf("%d collections in %d periods, want one in %d", f.trims, 6*heapRest, heapRest)
	}
}

// The room for garbage is the same for every small heap, and half of a large
// one: GOGC follows what is in use.
func TestHeapTargetFollowsLiveHeap(t *testing.T) {
	f := &fakeHeap{}
	k := f.keeper()
	for _, tt := range []struct{ live, low, high uint64 }{
		{0, 24, 26}, {4 * mib, 24, 30}, {24 * mib, 34, 38}, {70 * mib, 55, 65}, {1024 * mib, 500, 560},
	} {
		p := uint64(gcPercent(tt.live))
		if room := max(tt.live, mib) * p / 100 / mib; room < tt.low || room > tt.high {
			t.Errorf("%d MiB in use: GOGC %d is room for %d MiB, want %d to %d", tt.live/mib, p, room, tt.low, tt.high)
		}
	}
	f.live = 4 * mib
	k.step()
	f.live += 64 << 10
	k.step()
	if len(f.percents) != 1 || f.percents[0] != gcPercent(4*mib) {
		t.Errorf("set to %v, want %d once", f.percents, gcPercent(4*mib))
	}
	f.live = 100 * mib
	k.step()
	if len(f.percents) != 2 || f.percents[1] != gcPercent(100*mib) {
		t.Errorf("set to %v, want %d at last", f.percents, gcPercent(100*mib))
	}
}

// What the operator sets stays.
func TestHeapLeavesGOGCAlone(t *testing.T) {
	f := &fakeHeap{heapReading: heapReading{live: mib}}
	k := f.keeper()
	k.target = false
	k.step()
	if len(f.percents) != 0 {
		t.Errorf("set to %v", f.percents)
	}
}

func TestMemoryLimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "memory.max")
	for text, want := range map[string]int64{"max\n": 0, "1000000000\n": 900000000, "": 0, "-5": 0, "many": 0} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := memoryLimit(file); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := memoryLimit(filepath.Join(t.TempDir(), "absent")); got != 0 {
		t.Errorf("no file: %d", got)
	}
}

// With the real runtime: the figures are there, and the keeper ends.
func TestKeepHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "1GiB")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	stop := keepHeap(func() int { return 0 })
	stop()
	r := readHeap()
	if r.held == 0 || r.allocated == 0 || r.held < r.live/2 {
		t.Errorf("the runtime says %+v", r)
	}
	if got, want := debug.SetGCPercent(100), 50; got < want {
		t.Errorf("GOGC is %d", got)
	}
}
