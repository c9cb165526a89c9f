package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Metric is something measured in each run.
type Metric struct {
	Name   string
	Title  string
	Unit   string
	Digits int  // after the point
	More   bool // more is better
}

// The metrics, by name.
const (
	CPU      = "cpu_us"       // CPU of the server a unit
	Rate     = "rate"         // units a second
	P50      = "p50_ms"       // latency; what it spans is told by the load
	P99      = "p99_ms"       //
	P999     = "p999_ms"      //
	Max      = "max_ms"       //
	Syscalls = "syscalls"     // system calls a message received
	Allocs   = "allocs"       // heap allocations a message received
	Pss      = "pss_kb"       // memory a connection, in 1000 bytes
	Contact  = "contact_b"    // memory a contact, in bytes
	Left     = "left_mib"     // all memory a minute after the connections left
	Server   = "server_cpu"   // cores that the server used
	Others   = "others_cpu"   // cores that neither server nor loader used: the machine's other work
	Start    = "rise_per_s"   // idle connections opened a second
	Retries  = "retransmits"  // sipp's retransmissions
	SIPpMean = "sipp_mean_ms" // sipp's mean response time to its first request
	SIPpP99  = "sipp_p99_ms"  // the limit of its histogram below which 99 % of those were
)

// Metrics lists them in the order in which they are shown.
var Metrics = []Metric{
	{CPU, "CPU a unit", "µs", 1, false},
	{Rate, "rate", "/s", 0, true},
	{P50, "p50", "ms", 2, false},
	{P99, "p99", "ms", 2, false},
	{P999, "p99.9", "ms", 2, false},
	{Max, "max", "ms", 1, false},
	{Syscalls, "syscalls a message", "", 2, false},
	{Allocs, "allocations a message", "", 3, false},
	{Pss, "Pss a connection", "kB", 2, false},
	{Contact, "Pss a contact", "B", 0, false},
	{Left, "Pss a minute after", "MiB", 1, false},
	{Start, "opened", "/s", 0, true},
	{SIPpMean, "sipp's response time", "ms", 0, false},
	{SIPpP99, "99 % below", "ms", 0, false},
	{Retries, "retransmitted by sipp", "", 0, false},
	{Server, "cores used", "", 2, false},
	{Others, "cores used by others", "", 2, false},
}

// MetricOf finds a metric by name.
func MetricOf(name string) Metric {
	for _, m := range Metrics {
		if m.Name == name {
			return m
		}
	}
	return Metric{Name: name, Title: name, Digits: 2}
}

// Format writes a value with its unit.
func (m Metric) Format(v float64) string {
	s := strconv.FormatFloat(v, 'f', m.Digits, 64)
	if m.Unit == "" || m.Unit[0] == '/' {
		return s + m.Unit
	}
	return s + " " + m.Unit
}

// Stat is the median of a metric over the runs that have it, with the least and the greatest value.
type Stat struct {
	Median, Least, Greatest float64
	Runs                    int
}

// Stat sums up a metric; ok is false when no run has it. Runs that ended in a fault do not count.
func (r *Result) Stat(metric string) (s Stat, ok bool) {
	var values []float64
	for _, run := range r.Runs {
		if v, has := run.Values[metric]; has && run.Fault == "" && !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Stat{}, false
	}
	slices.Sort(values)
	n := len(values)
	return Stat{(values[(n-1)/2] + values[n/2]) / 2, values[0], values[n-1], n}, true
}

// Spread is the range of a metric in per cent of its median.
func (s Stat) Spread() float64 {
	if s.Median == 0 {
		return 0
	}
	return 100 * (s.Greatest - s.Least) / s.Median
}

// Show writes the median and, if there were several runs, their spread.
func (s Stat) Show(m Metric) string {
	if s.Runs < 2 {
		return m.Format(s.Median)
	}
	return fmt.Sprintf("%s ±%.0f%%", m.Format(s.Median), s.Spread()/2)
}

// Trouble tells what went wrong in the runs of a result, "" if nothing did: crashes by their log line, and messages
// that were lost, refused, duplicated or sent again.
func (r *Result) Trouble() string {
	faults, first := 0, ""
	bad := map[string]int64{}
	for _, run := range r.Runs {
		if run.Fault != "" {
			if faults++; first == "" {
				first = run.Fault
			}
		}
		for _, kind := range []string{Failed, Lost, Duplicated, Retransmitted} {
			bad[kind] += run.Counts[kind]
		}
	}
	text := ""
	if faults > 0 {
		text = fmt.Sprintf("%d of %d runs: %s", faults, len(r.Runs), first)
	}
	for _, kind := range []string{Failed, Lost, Duplicated, Retransmitted} {
		if bad[kind] > 0 {
			if text != "" {
				text += "; "
			}
			text += fmt.Sprintf("%d %s", bad[kind], kind)
		}
	}
	if reason := r.reason(); reason != "" && bad[Failed] > 0 {
		text += " (" + reason + ")"
	}
	return text
}

// reason is the most frequent one of failures.
func (r *Result) reason() string {
	sum, most := map[string]int64{}, ""
	for _, run := range r.Runs {
		for reason, n := range run.Reasons {
			sum[reason] += n
			if m := sum[most]; sum[reason] > m || sum[reason] == m && reason < most {
				most = reason
			}
		}
	}
	return most
}

// What becomes of units.
const (
	Started       = "started"
	Done          = "done"
	Failed        = "failed"
	Lost          = "lost"
	Duplicated    = "duplicated"
	Retransmitted = "retransmitted"
)
