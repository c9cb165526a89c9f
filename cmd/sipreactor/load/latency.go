package load

import (
	"fmt"
	"sync"
	"time"
)

// Latency records durations from 1 µs to 60 s with three significant digits. It may be used by any goroutine.
type Latency struct {
	mu sync.Mutex
	h  histogram
}

// NewLatency makes an empty record.
func NewLatency() *Latency {
	return &Latency{}
}

// Record adds one duration; what is beyond the range counts as its end.
func (l *Latency) Record(d time.Duration) {
	l.mu.Lock()
	l.h.add(d)
	l.mu.Unlock()
}

// Take summarises what was recorded since the last Take and starts anew.
func (l *Latency) Take() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.summary()
	l.h = histogram{}
	return s
}

// Summary summarises everything recorded.
func (l *Latency) Summary() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.summary()
}

func (l *Latency) summary() Summary {
	return Summary{
		Count: l.h.count,
		Mean:  l.h.mean(),
		P50:   l.h.quantile(0.5), P99: l.h.quantile(0.99), P999: l.h.quantile(0.999),
		Max: time.Duration(l.h.max) * time.Microsecond,
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
