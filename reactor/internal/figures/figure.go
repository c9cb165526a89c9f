package figures

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
)

// Figure is a number of Stats, or one for each value of its labels: where it is
// counted, and what those who read it call it. The table of all of them is All;
// statistics, metrics and pages are made from that.
type Figure struct {
	// Group and Name are the statistic's, as OpenSIPS writes them: group:name. Behind
	// the name stand the values of Labels, each behind an underscore; see NameOf.
	Group, Name string
	// Metric is Prometheus' name behind the program's; "" where other metrics add up to
	// this one. It has the unit.
	Metric string
	// Help says in one sentence what is counted.
	Help string
	// Level tells that it goes up and down; what is none only grows.
	Level bool
	// Labels are the names of the labels; nil for a figure that has one value.
	Labels []string

	// Where a figure of one value stands in Stats, the one of the two that is not nil,
	// and the counters that it is the sum of; nil for what Stats finds otherwise.
	count  func(s *Stats) *uint64
	level  func(s *Stats) *int
	loop   func(c *LoopCounters) *atomic.Uint64
	shard  func(c *ShardCounters) *atomic.Uint64
	engine func(c *EngineCounters) *atomic.Uint64
	// each calls yield for each value of the labels.
	each func(s *Stats, yield yield)
}

// yield takes a value and the values of its labels.
type yield func(n uint64, labels ...string)

// Each calls f with the figure's value in s for each value of its labels. Values of
// labels are of fixed sets. What is counted by causes that are rare may be missing
// until one happens.
func (f *Figure) Each(s *Stats, do func(n uint64, labels ...string)) {
	switch {
	case f.each != nil:
		f.each(s, do)
	case f.level != nil:
		do(uint64(max(*f.level(s), 0)))
	default:
		do(*f.count(s))
	}
}

// NameOf returns the statistic's name for values of its labels: in lower case, with
// what is no letter or digit of these as an underscore. The side to blame for a reason
// is not in the name, since the reason tells it.
func (f *Figure) NameOf(labels ...string) string {
	name := f.Name
	for i, v := range labels {
		if f.Labels[i] == labelBlame {
			continue
		}
		if name != "" {
			name += "_"
		}
		name += strings.ToLower(plainLabel(v))
	}
	return name
}

// plainLabel is a text with what is no letter or digit as an underscore.
func plainLabel(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
}

// sum adds what a part of the engine has counted to Stats.
func (f *Figure) sum(s *Stats, n *atomic.Uint64) { *f.count(s) += n.Load() }

// The names of labels.
const (
	labelReason    = "reason"
	labelResult    = "result"
	labelBlame     = "blame"
	labelCause     = "cause"
	labelDefect    = "defect"
	labelProto     = "proto"
	labelDirection = "direction"
	labelVersion   = "version"
)

// The reasons for which connects and handshakes usually fail. Figures of the
// others are there once they have happened.
var (
	dialReasons      = []reason.Reason{reason.ConnectFailed, reason.ConnectTimeout}
	handshakeReasons = []reason.Reason{reason.HandshakeFailed, reason.HandshakeTimeout, reason.RejectedByDomain}
)

// label is a reason as figures are named.
func label(r reason.Reason) string { return strings.ReplaceAll(r.String(), " ", "_") }

// eachReason calls do with the reasons for which a connection can end.
func eachReason(do func(r reason.Reason)) {
	for r := reason.NoReason + 1; r < reason.NoConnection; r++ {
		do(r)
	}
}

// usually yields the counters of the usual reasons, and of those that have happened,
// behind further labels.
func usually(counted map[reason.Reason]uint64, usual []reason.Reason, yield yield, before ...string) {
	eachReason(func(r reason.Reason) {
		if n := counted[r]; n > 0 || slices.Contains(usual, r) {
			yield(n, append(before[:len(before):len(before)], label(r))...)
		}
	})
}

// byCause yields the counters of causes, in order, each by its text in lower case
// with what is no letter or digit as one underscore.
func byCause(counted map[string]uint64, yield yield) {
	named := make(map[string]uint64, len(counted))
	for text, n := range counted {
		words := strings.FieldsFunc(strings.ToLower(plainLabel(text)), func(r rune) bool { return r == '_' })
		named[strings.Join(words, "_")] += n
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		yield(named[name], name)
	}
}

// byProto yields a figure of each transport's traffic.
func byProto(of func(t *Traffic) uint64) func(*Stats, yield) {
	return func(s *Stats, yield yield) {
		for p := transport.UDP; p < transport.Count; p++ {
			yield(of(&s.Carried[p]), p.String())
		}
	}
}

// bySide calls do with the handshakes of each direction.
func bySide(do func(h *Handshakes, direction string, yield yield)) func(*Stats, yield) {
	return func(s *Stats, yield yield) {
		do(&s.HandshakesIn, "in", yield)
		do(&s.HandshakesOut, "out", yield)
	}
}

func closedByReason(s *Stats, yield yield) {
	eachReason(func(r reason.Reason) { yield(s.Closed[r], label(r), r.Blame().String()) })
}

func refusedByCause(s *Stats, yield yield) {
	reason.Refusals(func(r reason.Refusal) { yield(s.RefusedFor[r], r.String()) })
}

func handshakesByVersion(h *Handshakes, direction string, yield yield) {
	for _, v := range slices.Sorted(maps.Keys(h.Done)) {
		yield(h.Done[v], direction, v)
	}
}

func handshakeTime(h *Handshakes, direction string, yield yield) {
	yield(uint64(h.Took.Sum/time.Microsecond), direction)
}
