package backoff

import (
	"sync"
	"time"
)

// Probes is when destinations that are left alone are looked for again: one timer for the
// next of them, and an end behind which none begins. Any goroutine. The zero Probes has
// no timer yet.
type Probes struct {
	mu    sync.Mutex
	timer *time.Timer
	over  bool
}

// Schedule has due called, on a goroutine of its own, in as long as next says, and not any
// more when it was to be called before. Nothing changes where next says that there is none.
func (p *Probes) Schedule(next func() (in time.Duration, ok bool), due func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in, ok := next()
	if !ok || p.over {
		return
	}
	if p.timer == nil {
		p.timer = time.AfterFunc(in, due)
	} else {
		p.timer.Reset(in)
	}
}

// Begin calls begin unless no probe is to begin any more. End waits for it.
func (p *Probes) Begin(begin func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		begin()
	}
}

// End has no probe begin any more.
func (p *Probes) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.timer != nil {
		p.timer.Stop()
	}
}
