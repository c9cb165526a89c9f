package load

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency records durations from 1 µs to 60 s with three significant digits. It may be used by any goroutine.
type Latency struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// NewLatency makes an empty record.
func NewLatency() *Latency {
	return &Latency{h: hdrhistogram.New(1, 60_000_000, 3)}
}

// Record adds one duration; what is beyond the range counts as its end.
func (l *Latency) Record(d time.Duration) {
	us := min(max(d.Microseconds(), 1), 60_000_000)
	l.mu.Lock()
	_ = l.h.RecordValue(us) // within the range
	l.mu.Unlock()
}

// Take summarises what was recorded since the last Take and starts anew.
func (l *Latency) Take() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.summary()
	l.h.Reset()
	return s
}

// Summary summarises everything recorded.
func (l *Latency) Summary() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.summary()
}

func (l *Latency) summary() Summary {
	at := func(q float64) time.Duration { return time.Duration(l.h.ValueAtQuantile(q)) * time.Microsecond }
	return Summary{
		Count: l.h.TotalCount(),
		Mean:  time.Duration(l.h.Mean()) * time.Microsecond,
		P50:   at(50), P99: at(99), P999: at(99.9),
		Max: time.Duration(l.h.Max()) * time.Microsecond,
	}
}

// Summary is what a set of latencies comes to.
type Summary struct {
	Count int64         `json:"count"`
	Mean  time.Duration `json:"mean_ns"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	Max   time.Duration `json:"max_ns"`
}

// String is one line for people.
func (s Summary) String() string {
	return fmt.Sprintf("p50 %v  p99 %v  p99.9 %v  max %v", s.P50, s.P99, s.P999, s.Max)
}
