package workers

import (
	"sync"
	"testing"
	"time"
)

const patience = 30 * time.Second

// thing is an item: its number, and where it goes.
type thing struct {
	n     int
	first bool
	low   *int // counts those that wait; nil = not low
}

func (t thing) First() bool { return t.first }

func (t thing) Low(n int) { *t.low += n }

func many(n int, it thing) (all []thing) {
	for range n {
		all = append(all, it)
	}
	return all
}

// rig is a shard with goroutines that do what do says.
type rig struct {
	*testing.T
	*Shard[thing]
	do      func(m *Member, it thing)
	running sync.WaitGroup
}

func start(t *testing.T, members int, do func(m *Member, it thing)) *rig {
	r := &rig{T: t, do: do}
	born := time.Now()
	r.Shard = New[thing](Config{Members: members, Delay: time.Second, Eased: func() {},
		Now: func() int64 { return int64(time.Since(born)) + 1 },
		Start: func() {
			r.running.Go(func() {
				m := new(Member)
				r.Shard.Run(m, func(it thing) {
					r.do(m, it)
					r.Done()
				})
			})
		}})
	r.Open()
	t.Cleanup(func() {
		r.Close()
		r.running.Wait()
	})
	return r
}

func (r *rig) eventually(what string, f func() bool) {
	r.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.Fatal("never: " + what)
		}
	}
}

// What ends something goes before what would only make more of it, and neither the
// queue nor the low-priority queue waits for ever behind that.
func TestFirstGoesFirst(t *testing.T) {
	waits, eased := 0, 0
	s := New[thing](Config{Members: 1, Now: func() int64 { return 1 }, Eased: func() { eased++ }})
	s.Push(many(1000, thing{n: 2, low: &waits}), true, Unbounded)
	s.Push(many(1000, thing{n: 1}), false, Unbounded)
	s.Push(many(1000, thing{n: 0, first: true}), false, Unbounded)
	if waits != 1000 {
		t.Errorf("%d wait in the low-priority queue", waits)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fetch() {
		t.Fatal("stopped")
	}
	if eased != 1 {
		t.Errorf("told %d times that there is room", eased)
	}
	var got [3]int
	for s.taken.Len() > 0 {
		is := s.taken.Pop().n
		for _, later := range got[is+1:] {
			if later != 0 {
				t.Fatalf("a %d behind %v", is, got)
			}
		}
		got[is]++
	}
	if want := [3]int{firstTurn, queueTurn, Turn}; got != want || waits != 1000-Turn {
		t.Errorf("%v, want %v; %d wait in the low-priority queue", got, want, waits)
	}
}

// No more than the bound wait, and the caller is told how many it keeps.
func TestBound(t *testing.T) {
	s := New[thing](Config{Members: 1})
	for _, step := range []struct{ push, bound, refused int }{{3, 5, 0}, {4, 5, 2}, {1, 5, 1}, {1, 4, 1}, {2, 10, 0}, {3, Unbounded, 0}} {
		if n := s.Push(many(step.push, thing{}), false, step.bound); n != step.refused {
			t.Errorf("%+v: %d are refused", step, n)
		}
	}
	if s.Busy() != 10 {
		t.Errorf("%d are busy, want 10", s.Busy())
	}
}

// What low waits for is all, what is not low waits for that only.
func TestExceeds(t *testing.T) {
	s := New[thing](Config{Members: 1, Delay: time.Second})
	s.cost.Store(int64(time.Millisecond))
	waits := 0
	s.Push(many(800, thing{low: &waits}), true, Unbounded)
	s.Push(many(100, thing{}), false, Unbounded)
	if got := s.Wait(); got != 900*time.Millisecond {
		t.Errorf("the last waits for %v", got)
	}
	for _, row := range []struct {
		low  bool
		n    int
		want bool
	}{{false, 899, false}, {false, 900, true}, {true, 99, false}, {true, 100, true}} {
		if got := s.Exceeds(row.low, row.n); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
	}
}
