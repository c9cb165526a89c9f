package handshakes

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/ring"
)

// Job is one step of one connection's handshake.
type Job interface {
	// Compute computes the step. A goroutine of the pool calls it.
	Compute()
	// Computed gives the machine back. The same goroutine calls it, behind Compute; it
	// does not wait.
	Computed()
}

// Pool computes steps of handshakes on a fixed number of goroutines: fewer than
// there are cores, so that traffic always has one. A connection is in its queue at
// most once, which bounds that. Any goroutine but where said. The zero Pool is one
// that has not started.
type Pool struct {
	now func() int64

	mu    sync.Mutex
	some  sync.Cond
	queue ring.Ring[submitted]
	stop  bool
	done  sync.WaitGroup
	age   atomic.Int64 // how long the last one waited, while others do, in ns
}

// submitted is a job and when it came.
type submitted struct {
	job Job
	at  int64
}

// tooLate is how long a step may wait before there are too many: a peer gives a
// handshake up after some seconds.
const tooLate = int64(time.Second)

// Start begins n goroutines; now is a clock in nanoseconds. It is called once.
func (p *Pool) Start(n int, now func() int64) {
	p.some.L, p.now = &p.mu, now
	p.done.Add(n)
	for range n {
		go p.run()
	}
}

// Submit has a job computed. Who owned its machine does not any more.
func (p *Pool) Submit(j Job) {
	p.mu.Lock()
	p.queue.Push(submitted{j, p.now()})
	p.mu.Unlock()
	p.some.Signal()
}

func (p *Pool) run() {
	defer p.done.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for p.queue.Len() == 0 {
			if p.stop {
				return
			}
			p.some.Wait()
		}
		next := p.queue.Pop()
		if p.queue.Len() > 0 {
			p.age.Store(p.now() - next.at)
		} else {
			p.age.Store(0)
		}
		p.mu.Unlock()
		next.job.Compute()
		next.job.Computed()
		p.mu.Lock()
	}
}

// Late reports whether steps wait for so long that no new handshake should begin.
func (p *Pool) Late() bool { return p.age.Load() > tooLate }

// Waiting returns how many jobs wait.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.Len()
}

// Close ends the pool when its queue is worked off, and waits for that. Nothing is
// submitted any more.
func (p *Pool) Close() {
	p.mu.Lock()
	p.stop = true
	p.mu.Unlock()
	p.some.Broadcast()
	p.done.Wait()
}
