package workers

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// Items are done one after the other and in order, though each leader hands over.
func TestOrderThroughHandOvers(t *testing.T) {
	var mu sync.Mutex
	var got []int
	var r *rig
	r = start(t, 4, func(m *Member, it thing) {
		mu.Lock()
		got = append(got, it.n)
		mu.Unlock()
		if it.n%3 == 0 {
			r.HandOver(m)
		}
	})
	var want []int
	for n := range 1000 {
		want = append(want, n)
		r.Push([]thing{{n: n}}, false, Unbounded)
	}
	r.eventually("all are done", func() bool { return r.Busy() == 0 })
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, want) {
		t.Error("they are out of order")
	}
}

// As many may wait as there are goroutines but one, who leads; they go when nobody
// waits any more.
func TestMembersAreBounded(t *testing.T) {
	hold := make(chan struct{})
	var stays atomic.Int64
	var r *rig
	r = start(t, 4, func(m *Member, it thing) {
		if it.n == 0 {
			return
		}
		if !r.HandOver(m) {
			stays.Add(1)
			return
		}
		if m.Leading {
			t.Error("it leads though it has handed over")
		}
		<-hold
	})
	r.Push(many(5, thing{n: 1}), false, Unbounded)
	r.eventually("two could not wait", func() bool { return stays.Load() == 2 })
	r.Push(many(1, thing{}), false, Unbounded)
	r.eventually("the last is done all the same", func() bool { return r.Busy() == 3 })
	if n := r.Waiting(); n != 3 {
		t.Errorf("%d wait", n)
	}
	if r.Spare() {
		t.Error("none is there that may go")
	}
	close(hold)
	r.eventually("followers go", r.Spare)
	if n := r.Waiting(); n != 0 {
		t.Errorf("%d wait at the end", n)
	}
}

// What waits when the shard is closed is done.
func TestCloseWorksOff(t *testing.T) {
	hold := make(chan struct{})
	r := start(t, 2, func(*Member, thing) { <-hold })
	r.Push(many(500, thing{}), false, Unbounded)
	r.Close()
	close(hold)
	r.running.Wait()
	if n := r.Busy(); n != 0 {
		t.Errorf("%d are not done", n)
	}
}

// A goroutine that has nothing to wait for any more follows, and leads when the next leader waits.
func TestIdleFollowerLeads(t *testing.T) {
	hold := []chan struct{}{make(chan struct{}), make(chan struct{})}
	var r *rig
	r = start(t, 4, func(m *Member, it thing) {
		if it.n < len(hold) {
			if !r.HandOver(m) {
				t.Error("it must not wait")
			}
			<-hold[it.n]
		}
	})
	goes := sync.OnceFunc(func() { close(hold[1]) })
	t.Cleanup(goes) // before the shard waits for it
	r.Push([]thing{{n: 0}, {n: 9}}, false, Unbounded)
	r.eventually("a new one leads", func() bool { return r.Busy() == 1 })
	close(hold[0])
	r.eventually("who has waited follows", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.idle == 1
	})
	r.Push([]thing{{n: 1}, {n: 9}}, false, Unbounded)
	r.eventually("the follower leads", func() bool { return r.Busy() == 1 })
	goes()
}
