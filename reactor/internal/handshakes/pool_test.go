package handshakes

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sipreactor/reactor/internal/waittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// job computes when it is let, and tells who came back.
type job struct {
	let      chan struct{}
	computed atomic.Bool
	back     func(*job)
}

func (j *job) Compute() {
	<-j.let
	j.computed.Store(true)
}

func (j *job) Computed() { j.back(j) }

func TestPoolComputesAllBeforeItCloses(t *testing.T) {
	var p Pool
	p.Start(2, func() int64 { return 1 })
	var mu sync.Mutex
	back := 0
	let := make(chan struct{})
	for range 50 {
		p.Submit(&job{let: let, back: func(j *job) {
			mu.Lock()
			defer mu.Unlock()
			if !j.computed.Load() {
				t.Error("given back before it was computed")
			}
			back++
		}})
	}
	close(let)
	p.Close()
	if back != 50 || p.Waiting() != 0 {
		t.Errorf("%d of 50 came back, %d wait", back, p.Waiting())
	}
}

// The pool is late when a step had to wait for more than a second and others wait
// behind it; with nobody behind it the storm is over.
func TestPoolIsLate(t *testing.T) {
	var clock atomic.Int64
	clock.Store(1)
	var p Pool
	p.Start(1, clock.Load)
	back := make(chan struct{}, 3)
	var jobs [3]*job
	for i := range jobs {
		jobs[i] = &job{let: make(chan struct{}), back: func(*job) { back <- struct{}{} }}
	}
	p.Submit(jobs[0])
	for p.Waiting() > 0 { // until it is taken
		time.Sleep(time.Millisecond)
	}
	p.Submit(jobs[1])
	p.Submit(jobs[2])
	if p.Waiting() != 2 || p.Late() {
		t.Errorf("%d wait, late: %v", p.Waiting(), p.Late())
	}
	clock.Add(tooLate + 1)
	close(jobs[0].let) // the second is taken, and the third waits
	<-back
	for p.Waiting() != 1 {
		time.Sleep(time.Millisecond)
	}
	if !p.Late() {
		t.Error("a step has waited for more than a second, and the pool is not late")
	}
	close(jobs[1].let)
	<-back
	for p.Waiting() != 0 {
		time.Sleep(time.Millisecond)
	}
	if p.Late() {
		t.Error("nobody waits, and the pool is late")
	}
	close(jobs[2].let)
	<-back
	p.Close()
}

// Goroutines that sleep hear the end, all of them.
func TestIdlePoolCloses(t *testing.T) {
	for range 20 {
		var p Pool
		p.Start(3, func() int64 { return 1 })
		var back sync.WaitGroup
		back.Add(3)
		let := make(chan struct{})
		for range 3 {
			p.Submit(&job{let: let, back: func(*job) { back.Done() }})
		}
		waittest.For(t, "each of them has a job", func() bool { return p.Waiting() == 0 })
		close(let)
		back.Wait()
		time.Sleep(time.Millisecond) // they fall asleep, mostly
		p.Close()
	}
}
