package destination

import (
	"time"

	"sipreactor/reactor/script"
)

// PolicyParameters declares the parameters of a Policy, with a prefix of the
// module's. OpenSIPS has none of them, and all are off.
func PolicyParameters(prefix string, p *Policy) []script.Parameter {
	number := script.IntParam
	return []script.Parameter{
		{Name: prefix + "eject_ratio", Type: number, Max: 100, Unit: "percent; 0: never", Default: "0",
			Help: "Share of failed calls in a window from which a destination rests. Not in OpenSIPS.",
			Set:  func(v script.Literal) error { p.Ratio = float64(v.Int) / 100; return nil }},
		{Name: prefix + "eject_latency", Type: number, Max: 60000, Unit: "milliseconds; 0: never", Default: "0",
			Help: "Mean time to the first answer in a window from which a destination rests. Not in OpenSIPS.", Set: script.Milliseconds(&p.Latency)},
		{Name: prefix + "eject_calls", Type: number, Min: 1, Max: 1 << 20, Default: "20",
			Help: "Calls that a window must have before a destination is judged by it. Not in OpenSIPS.", Set: script.Into(&p.Calls)},
		{Name: prefix + "eject_window", Type: number, Min: 1, Max: 3600, Unit: "seconds", Default: "10",
			Help: "Length of a window. Not in OpenSIPS.", Set: script.Seconds(&p.Window)},
		{Name: prefix + "eject_rest", Type: number, Min: 1, Max: 3600, Unit: "seconds", Default: "30",
			Help: "How long a destination rests, times how often in a row. Not in OpenSIPS.", Set: script.Seconds(&p.Rest)},
		{Name: prefix + "slow_start", Type: number, Max: 3600, Unit: "seconds; 0: at once", Default: "0",
			Help: "Time over which a destination that comes back gets its full share of calls. Not in OpenSIPS.",
			Set:  func(v script.Literal) error { p.SlowStart = time.Duration(v.Int) * time.Second; return nil }},
	}
}
