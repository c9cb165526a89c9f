package report

import (
	"fmt"
	"math"
)

// Reached is one line of the table of what is to be reached.
type Reached struct {
	Figure  string `json:"figure"`
	Goal    string `json:"goal"`
	Seen    string `json:"seen"`
	Verdict string `json:"verdict"` // met, not met, or not measured
	Command string `json:"command"`
}

// The verdicts.
const (
	Met    = "met"
	NotMet = "not met"
	NoData = "not measured"
)

// goal is a figure and its limit.
type goal struct {
	figure  string
	measure string
	metric  string
	systems []string // ours, of which the best counts
	limit   float64  // absolute if against is "", else a share of the other's figure
	against string   // "sip": the best SIP peer, the name of a system, or the name of a measure of our own
}

var (
	own    = []string{"sipreactor"}
	either = []string{"sipreactor-libcrypto", "sipreactor-libssl"}
)

var goals = []goal{
	{"CPU a request, 50 connections, closed loop", "options-50-w1", CPU, own, 0.5, "sip"},
	{"CPU a request, 1 connection, 32 under way", "options-1-w32", CPU, own, 0.4, "sip"},
	{"CPU a request, 1,000 a second", "options-50-r1000", CPU, own, 0.5, "sip"},
	{"CPU a proxied call, closed loop", "calls-closed", CPU, own, 0.35, "sip"},
	{"CPU a proxied call, 200 a second", "calls-r200", CPU, own, 0.6, "sip"},
	{"CPU a proxied call, closed loop", "calls-closed", CPU, own, 1.0, "haproxy"},
	{"full handshake, ECDSA, TLS 1.3", "full-ecdsa-tls13", CPU, own, 0.8, "haproxy"},
	{"full handshake, ECDSA, TLS 1.2", "full-ecdsa-tls12", CPU, own, 0.65, "haproxy"},
	{"full handshake, ECDSA, TLS 1.3", "full-ecdsa-tls13", CPU, own, 0.45, "sip"},
	{"full handshake, ECDSA, TLS 1.2", "full-ecdsa-tls12", CPU, own, 0.45, "sip"},
	{"full handshake, RSA-2048, TLS 1.3, libcrypto or libssl", "full-rsa-tls13", CPU, either, 0.8, "haproxy"},
	{"full handshake, RSA-2048, TLS 1.2, libcrypto or libssl", "full-rsa-tls12", CPU, either, 0.8, "haproxy"},
	{"resumed handshake, TLS 1.3", "resumed-ecdsa-tls13", CPU, own, 0.8, "haproxy"},
	{"resumed handshake, TLS 1.2", "resumed-ecdsa-tls12", CPU, own, 0.6, "haproxy"},
	{"Pss an idle connection, 10,000", "idle-10000", Pss, own, 7, ""},
	{"Pss an idle connection, 10,000", "idle-10000", Pss, own, 0.25, "sip"},
	{"Pss a minute after 10,000 left", "idle-10000", Left, own, 40, ""},
	{"p99 of the probe: quiet", "probe-quiet", P99, own, 5, ""},
	{"p99 of the probe: handshake storm", "probe-storm", P99, own, 5, ""},
	{"p99 of the probe: 200 silent clients", "probe-silent", P99, own, 5, ""},
	{"p99 of the probe: 200 silent clients", "probe-silent", P99, own, 2, "probe-quiet"},
	{"p99 of the probe: 50 slow readers", "probe-slow", P99, own, 5, ""},
	{"p99 of the probe: black-holed destinations", "probe-blackhole", P99, own, 5, ""},
	{"p99 of the probe: black-holed destinations", "probe-blackhole", P99, own, 2, "probe-quiet"},
	{"p99 of the probe: a reload a second", "probe-reload", P99, own, 5, ""},
	{"p99 of the probe: a reload a second", "probe-reload", P99, own, 2, "probe-quiet"},
	{"p99 of the probe: tracing to a dead collector", "probe-trace", P99, own, 5, ""},
	{"p99 of the probe: tracing to a dead collector", "probe-trace", P99, own, 2, "probe-quiet"},
	{"allocations a forwarded message", "calls-closed", Allocs, own, 0.05, ""},
	{"CPU a message, 10,000 connections to 1", "scale-10000", CPU, own, 1.3, "scale-1"},
}

// Reach compares what was seen with what is to be reached. Figures of which nothing was measured are left out when
// their load was not part of the comparison.
func (r *Report) Reach() []Reached {
	var all []Reached
	for _, g := range goals {
		if r.planned(g.measure) {
			all = append(all, r.reach(g))
		}
	}
	return all
}

func (r *Report) planned(measure string) bool {
	for _, m := range r.Measures {
		if m.Name == measure {
			return true
		}
	}
	return false
}

func (r *Report) reach(g goal) Reached {
	metric := MetricOf(g.metric)
	out := Reached{Figure: g.figure, Verdict: NoData, Command: "go -C bench run . --only " + g.measure}
	ours, who := r.least(g.measure, g.metric, g.systems)
	var base float64
	var whose string
	switch {
	case g.against == "":
		out.Goal = "≤ " + metric.Format(g.limit)
	case g.against == "sip":
		base, whose = r.least(g.measure, g.metric, r.peers())
		out.Goal = fmt.Sprintf("≤ %g × the best SIP peer", g.limit)
	case r.System(g.against) != nil || !r.planned(g.against) && g.against == "haproxy":
		base, whose = r.least(g.measure, g.metric, []string{g.against})
		out.Goal = fmt.Sprintf("≤ %g × %s", g.limit, g.against)
	default:
		base, _ = r.least(g.against, g.metric, g.systems)
		whose = g.against
		out.Goal = fmt.Sprintf("≤ %g × %s", g.limit, g.against)
		out.Command += "," + g.against
	}
	if math.IsInf(ours, 1) {
		return out
	}
	out.Seen = metric.Format(ours)
	if who != own[0] {
		out.Seen += " (" + who + ")"
	}
	value := ours
	if g.against != "" {
		if math.IsInf(base, 1) || base <= 0 {
			out.Seen += ", nothing to compare with"
			return out
		}
		value = ours / base
		out.Seen = fmt.Sprintf("%.2f × (%s to %s of %s)", value, out.Seen, metric.Format(base), whose)
	}
	out.Verdict = NotMet
	if value <= g.limit {
		out.Verdict = Met
	}
	return out
}

// peers are the SIP elements that people run.
func (r *Report) peers() []string {
	var names []string
	for _, s := range r.Systems {
		if s.Role == "sip" {
			names = append(names, s.Name)
		}
	}
	return names
}

// least is the smallest median among systems, infinite when none has one, and whose it is.
func (r *Report) least(measure, metric string, systems []string) (float64, string) {
	best, whose := math.Inf(1), ""
	for _, name := range systems {
		res := r.Find(measure, name)
		if res == nil {
			continue
		}
		if s, ok := res.Stat(metric); ok && s.Median < best {
			best, whose = s.Median, res.Label()
		}
	}
	return best, whose
}
