package page

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/rescue"
)

const (
	// queueLength is how many events may wait for the recorder.
	queueLength = 4096
	// wakeLength is how many wait before its goroutine is woken: to wake it for
	// each would cost a loop as much as the rest of a short connection does.
	wakeLength = 256
	// sampleEvery is the time between two samples of the counters.
	sampleEvery = time.Second
)

// happening is an event as it is handed over: a copy of what is kept of it.
type happening struct {
	kind    reactor.EventKind
	time    time.Time
	source  reactor.Source
	took    time.Duration
	resumed bool
	domain  string
	version string
	reason  reactor.Reason
	blame   reactor.Blame
	detail  string
}

// Recorder keeps what happened of late. It is an Observer of the engine whose
// counters it samples once Start has told it which that is.
type Recorder struct {
	lost atomic.Uint64
	full chan struct{} // wakeLength events wait
	stop chan struct{}
	once sync.Once
	done sync.WaitGroup

	door  sync.Mutex // guards queue; held for an append or a swap
	queue []happening

	// mu guards what follows. Only the recorder's goroutines and those who read
	// take it, never a loop.
	mu       sync.Mutex
	spare    []happening // the queue that was worked off last
	trails   trails
	troubles troubles
	slowest  slowest
	samples  samples
	swept    uint64 // what lost was when trails were last swept
}

var _ reactor.Observer = (*Recorder)(nil)

// NewRecorder makes a Recorder that takes events. Close must be called.
func NewRecorder() *Recorder {
	r := &Recorder{full: make(chan struct{}, 1), stop: make(chan struct{})}
	r.trails.live = make(map[reactor.Handle]*trail)
	r.done.Go(func() { _ = rescue.Run(nil, "the page's recorder", r.run) })
	return r
}

// Observe implements reactor.Observer. It never waits: an event for which there
// is no room is counted as lost.
func (r *Recorder) Observe(e *reactor.Event) {
	h := happening{kind: e.Kind, time: e.Time, source: *e.Src, took: e.Took}
	if e.TLS != nil {
		h.resumed, h.domain, h.version = e.TLS.Resumed, e.TLS.Domain, e.TLS.VersionName()
	}
	if e.Err != nil {
		h.reason, h.blame, h.detail = e.Err.Reason, e.Err.Blame, e.Err.Detail
	}
	r.door.Lock()
	waiting := len(r.queue)
	if waiting < queueLength {
		r.queue = append(r.queue, h)
	}
	r.door.Unlock()
	switch waiting {
	case queueLength:
		r.lost.Add(1)
	case wakeLength:
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
}

// lock gives the caller what is known by now. It ends with mu.Unlock.
func (r *Recorder) lock() {
	r.mu.Lock()
	r.door.Lock()
	list := r.queue
	r.queue = r.spare[:0]
	r.door.Unlock()
	for i := range list {
		r.record(&list[i])
	}
	clear(list)
	r.spare = list
}

func (r *Recorder) record(h *happening) {
	r.trails.add(h)
	r.slowest.add(h)
	r.troubles.add(h)
}

// Start samples the engine's counters from now on, until Close. It is called at
// most once, after the engine was made.
func (r *Recorder) Start(e mi.Engine) {
	r.sample(e, time.Now())
	r.done.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				_ = rescue.Run(nil, "the page's recorder", func() { r.sample(e, now) })
			case <-r.stop:
				return
			}
		}
	})
}

// Close ends the recorder; what it knows can still be read. It may be called
// more than once, by any goroutine.
func (r *Recorder) Close() {
	r.once.Do(func() { close(r.stop) })
	r.done.Wait()
}

// Lost is how many events found no room. Any goroutine.
func (r *Recorder) Lost() uint64 { return r.lost.Load() }

func (r *Recorder) run() {
	for {
		select {
		case <-r.full:
			r.lock()
			r.mu.Unlock()
		case <-r.stop:
			return
		}
	}
}

// sample reads the counters. When ends of connections were lost, it forgets the
// connections that are gone.
func (r *Recorder) sample(e mi.Engine, now time.Time) {
	s := e.Stats()
	lost := r.lost.Load()
	r.lock()
	defer r.mu.Unlock()
	r.samples.add(now, &s)
	if lost != r.swept {
		r.swept = lost
		r.trails.sweep(now, sampleEvery, func(id reactor.Handle) bool {
			_, there := e.Conn(id)
			return there
		})
	}
}
