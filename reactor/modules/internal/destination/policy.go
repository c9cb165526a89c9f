package destination

import (
	"fmt"
	"time"
)

// Policy is how a destination is treated for how it answers calls. The zero value
// does nothing: it is all ours, no module of OpenSIPS has it.
type Policy struct {
	// Ratio is the share of calls, above 0 to 1, that fail in a window before the
	// destination rests. 0: failures are not looked at.
	Ratio float64
	// Latency is the mean time to the first answer in a window before the
	// destination rests. 0: it is not looked at.
	Latency time.Duration
	// Calls is how many a window must have for either; Window how long it lasts.
	Calls  int
	Window time.Duration
	// Rest is how long it is left out, times how often in a row this happened, up
	// to ten times.
	Rest time.Duration
	// SlowStart is the time over which a destination that comes back gets its full
	// share of calls, from a tenth of it. 0: at once.
	SlowStart time.Duration
}

const (
	defaultCalls  = 20
	defaultWindow = 10 * time.Second
	defaultRest   = 30 * time.Second
	maxSpells     = 10
)

// window is the outcome of calls of late.
type window struct {
	began         time.Time
	calls, failed int
	answered      int
	latency       time.Duration // of all that answered
}

// share is what part of its calls a destination gets, so long after it came back.
func (p *Policy) share(age time.Duration) float64 {
	const first = 0.1
	return first + (1-first)*float64(age)/float64(p.SlowStart)
}

// judges tells whether the policy looks at outcomes at all.
func (p *Policy) judges() bool { return p != nil && (p.Ratio > 0 || p.Latency > 0) }

// verdict tells why a destination with such a window is to rest, "" if it is not.
func (p *Policy) verdict(w *window) string {
	if w.calls < orDefault(p.Calls, defaultCalls) {
		return ""
	}
	if p.Ratio > 0 && float64(w.failed) >= p.Ratio*float64(w.calls) {
		return fmt.Sprintf("%d of %d calls failed", w.failed, w.calls)
	}
	if p.Latency > 0 && w.answered > 0 {
		if mean := w.latency / time.Duration(w.answered); mean >= p.Latency {
			return fmt.Sprintf("answers take %v", mean.Round(time.Millisecond))
		}
	}
	return ""
}

// Judge counts the outcome of a call: whether it failed, and the time to its
// first answer, 0 if there was none. It tells why the destination rests from now
// on, "" if it does not, or did before.
func (h *Health) Judge(failed bool, took time.Duration, now time.Time, p *Policy) (why string) {
	if !p.judges() {
		return ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	rest := h.rest.Load()
	if rest > now.UnixNano() || h.State() != Active {
		return "" // calls that were under way
	}
	w := &h.window
	if rest != 0 {
		h.rest.Store(0)
		h.warm(true, time.Unix(0, rest), p)
		*w = window{}
	}
	if length := orDefault(p.Window, defaultWindow); w.began.IsZero() || now.Sub(w.began) >= length {
		if !w.began.IsZero() && w.calls >= orDefault(p.Calls, defaultCalls) {
			h.spells = 0 // a whole window went well
		}
		*w = window{began: now}
	}
	w.calls++
	if failed {
		w.failed++
	}
	if took > 0 {
		w.answered++
		w.latency += took
	}
	if why = p.verdict(w); why == "" {
		return ""
	}
	h.spells = min(h.spells+1, maxSpells)
	h.rest.Store(now.Add(time.Duration(h.spells) * orDefault(p.Rest, defaultRest)).UnixNano())
	*w = window{}
	return why
}

func orDefault[T int | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}
