package page

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
)

const (
	// queueLength is how many events may wait for the recorder.
	queueLength = 4096
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
	queue chan happening
	lost  atomic.Uint64
	stop  chan struct{}
	once  sync.Once
	done  sync.WaitGroup

	// mu guards what follows. Only the recorder's goroutine and those who read
	// take it, never a loop.
	mu       sync.Mutex
	trails   trails
	troubles troubles
	slowest  slowest
	samples  samples
	swept    uint64 // what lost was when trails were last swept
}

var _ reactor.Observer = (*Recorder)(nil)

// NewRecorder makes a Recorder that takes events. Close must be called.
func NewRecorder() *Recorder {
	r := &Recorder{queue: make(chan happening, queueLength), stop: make(chan struct{})}
	r.trails.live = make(map[reactor.Handle]*trail)
	r.done.Go(r.run)
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
	select {
	case r.queue <- h:
	default:
		r.lost.Add(1)
	}
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
				r.sample(e, now)
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
		case h := <-r.queue:
			r.record(&h)
		case <-r.stop:
			return
		}
	}
}

func (r *Recorder) record(h *happening) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trails.add(h)
	r.slowest.add(h)
	r.troubles.add(h)
}

// sample reads the counters. When ends of connections were lost, it forgets the
// connections that are gone.
func (r *Recorder) sample(e mi.Engine, now time.Time) {
	s := e.Stats()
	lost := r.lost.Load()
	r.mu.Lock()
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
