package destination

import (
	"sync/atomic"
	"time"
)

// Tally counts the calls of a destination. Any goroutine.
type Tally struct {
	calls    atomic.Uint64
	running  atomic.Int64
	answers  [6]atomic.Uint64
	failed   atomic.Uint64
	silent   atomic.Uint64
	latency  atomic.Int64 // nanoseconds, a mean in which the last eight weigh most
	answered atomic.Int64 // when the last answer came, nanoseconds since 1970
}

// Figures are the values of a Tally.
type Figures struct {
	// Calls were sent there, Running of them are under way.
	Calls   uint64
	Running int64
	// Answers are the final responses by class; Answers[0], 1xx, stays 0.
	Answers [6]uint64
	// Failed could not be sent, Silent got no answer in time.
	Failed, Silent uint64
	// Latency is the mean time to the first answer, of late; 0 if there was none.
	Latency time.Duration
	// Answered is when the last answer came; zero if none did.
	Answered time.Time
}

// Begin counts a call that is sent.
func (t *Tally) Begin() {
	t.calls.Add(1)
	t.running.Add(1)
}

// End counts a call that is not under way any more.
func (t *Tally) End() { t.running.Add(-1) }

// Answer counts a final response of the destination.
func (t *Tally) Answer(code int, now time.Time) {
	if class := code/100 - 1; 0 <= class && class < len(t.answers) {
		t.answers[class].Add(1)
	}
	t.answered.Store(now.UnixNano())
}

// Took notes how long the first answer to a call took.
func (t *Tally) Took(d time.Duration) {
	old := t.latency.Load()
	if old != 0 {
		d = time.Duration(old + (int64(d)-old)/8)
	}
	t.latency.Store(int64(max(d, 1)))
}

// Fail counts a call that could not be sent.
func (t *Tally) Fail() { t.failed.Add(1) }

// Silence counts a call that was not answered in time.
func (t *Tally) Silence() { t.silent.Add(1) }

// Figures gives the values.
func (t *Tally) Figures() Figures {
	f := Figures{Calls: t.calls.Load(), Running: t.running.Load(), Failed: t.failed.Load(), Silent: t.silent.Load(),
		Latency: time.Duration(t.latency.Load())}
	for i := range f.Answers {
		f.Answers[i] = t.answers[i].Load()
	}
	if at := t.answered.Load(); at != 0 {
		f.Answered = time.Unix(0, at)
	}
	return f
}
