package load

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Result is the outcome of a load. A unit is a request, a call or a handshake.
type Result struct {
	Load    string        `json:"load"`
	Elapsed time.Duration `json:"elapsed_ns"`
	Offered time.Duration `json:"offered_ns,omitempty"` // how long units began; 0: not told

	DoneInTime int64 `json:"done_in_time,omitempty"` // units that ended as they should while others began

	Started       int64 `json:"started"`       // units begun
	Done          int64 `json:"done"`          // units that ended as they should
	Failed        int64 `json:"failed"`        // refused by a final response, a failed connection or a wrong message
	Lost          int64 `json:"lost"`          // no final response within the timeout
	Duplicated    int64 `json:"duplicated"`    // responses that came twice, or for nobody
	Retransmitted int64 `json:"retransmitted"` // messages sent again for want of an answer

	Latency Summary            `json:"latency"`          // of the first answer that matters: the final response, the handshake
	Phases  map[string]Summary `json:"phases,omitempty"` // further ones, by name
	Reasons map[string]int64   `json:"reasons,omitempty"`
}

// Rate is units done a second.
func (r Result) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Done) / r.Elapsed.Seconds()
}

// Goodput is units done a second while units began: what came later says what was queued, not what is carried.
func (r Result) Goodput() float64 {
	if r.Offered <= 0 {
		return r.Rate()
	}
	return float64(r.DoneInTime) / r.Offered.Seconds()
}

// Clean tells that every unit begun ended as it should, once.
func (r Result) Clean() bool {
	return r.Done == r.Started && r.Failed+r.Lost+r.Duplicated+r.Retransmitted == 0
}

// String is a few lines for people.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d in %.1f s, %.1f/s\n", r.Load, r.Done, r.Elapsed.Seconds(), r.Rate())
	fmt.Fprintf(&b, "  started %d  failed %d  lost %d  duplicated %d  retransmitted %d\n",
		r.Started, r.Failed, r.Lost, r.Duplicated, r.Retransmitted)
	fmt.Fprintf(&b, "  %v\n", r.Latency)
	for name, s := range r.Phases {
		fmt.Fprintf(&b, "  %s: %v\n", name, s)
	}
	for reason, n := range r.Reasons {
		fmt.Fprintf(&b, "  %d × %s\n", n, reason)
	}
	return b.String()
}

// Tally counts a load under way. It may be used, and read, by any goroutine.
type Tally struct {
	Started, Done, Failed, Lost, Duplicated, Retransmitted atomic.Int64
	Latency                                                *Latency

	mu      sync.Mutex
	began   time.Time
	offered time.Duration
	inTime  int64
	phases  map[string]*Latency
	reasons map[string]int64
}

// NewTally makes an empty one.
func NewTally() *Tally {
	return &Tally{
		Latency: NewLatency(),
		phases:  map[string]*Latency{}, reasons: map[string]int64{},
	}
}

// Begin starts the clock. The loads call it when their connections stand.
func (t *Tally) Begin() {
	t.mu.Lock()
	t.began = time.Now()
	t.mu.Unlock()
}

// Offered notes that no more units begin.
func (t *Tally) Offered() {
	t.mu.Lock()
	t.offered, t.inTime = time.Since(t.began), t.Done.Load()
	t.mu.Unlock()
}

// Fail counts a failed unit by its reason. Only so many different reasons are kept.
func (t *Tally) Fail(reason string) {
	t.Failed.Add(1)
	t.note(reason)
}

// Phase is the record of a further latency.
func (t *Tally) Phase(name string) *Latency {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.phases[name]
	if l == nil {
		l = NewLatency()
		t.phases[name] = l
	}
	return l
}

func (t *Tally) note(reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.reasons[reason]; !known && len(t.reasons) >= 16 {
		reason = "other"
	}
	t.reasons[reason]++
}

// Result sums up.
func (t *Tally) Result(load string) Result {
	r := Result{
		Load:    load,
		Started: t.Started.Load(), Done: t.Done.Load(), Failed: t.Failed.Load(), Lost: t.Lost.Load(),
		Duplicated: t.Duplicated.Load(), Retransmitted: t.Retransmitted.Load(),
		Latency: t.Latency.Summary(),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Elapsed = time.Since(t.began)
	r.Offered, r.DoneInTime = t.offered, t.inTime
	for name, l := range t.phases {
		if r.Phases == nil {
			r.Phases = map[string]Summary{}
		}
		r.Phases[name] = l.Summary()
	}
	for reason, n := range t.reasons {
		if r.Reasons == nil {
			r.Reasons = map[string]int64{}
		}
		r.Reasons[reason] = n
	}
	return r
}

// Seen adds what the server at the other end saw: messages that came twice or had to be sent again, and faults.
func (r *Result) Seen(s ServerStats) {
	r.Retransmitted += s.Resent + s.Repeated
	for reason, n := range s.Wrong {
		r.Failed += n
		if r.Reasons == nil {
			r.Reasons = map[string]int64{}
		}
		r.Reasons["server: "+reason] += n
	}
}
