package load

import (
	"context"
	"time"
)

// Pace calls start at a fixed rate (a second) for a duration, with the instant at which each start was due. When
// start or the machine is late, the starts that were missed follow at once with the instants at which they should
// have been: nothing is omitted.
func Pace(ctx context.Context, rate float64, duration time.Duration, start func(due time.Time)) {
	began := time.Now()
	total := int64(rate * duration.Seconds())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := int64(0); i < total; i++ {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		} else if ctx.Err() != nil {
			return
		}
		start(due)
	}
}
