package compare

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
	"sipreactor/cmd/sipreactor/load"
)

// requests measures OPTIONS that the system answers.
func requests(connections, window int, rate float64) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		s, err := t.setup("ecdsa")
		if err != nil {
			return err
		}
		if err := t.start(ctx, s); err != nil {
			return err
		}
		return t.watch(ctx, 1, t.options(connections, window, rate))
	}
}

// options offers OPTIONS.
func (t *trial) options(connections, window int, rate float64) func(context.Context, time.Duration, *load.Tally) (load.Result, error) {
	return func(ctx context.Context, d time.Duration, tally *load.Tally) (load.Result, error) {
		peer := t.peer(tls.VersionTLS13)
		if connections > 1000 {
			peer.AtOnce = 8
		}
		return load.Options{
			Peer: peer, URI: t.inst.URI(), Connections: connections, Window: window, Rate: rate, Duration: d, Tally: tally,
		}.Run(ctx)
	}
}

// options is OPTIONS on persistent connections.
func options() []Measure {
	var all []Measure
	for _, n := range []int{1, 50, 1000} {
		extra := time.Duration(n) * 2 * time.Millisecond
		add := func(name, how string, window int, rate float64, reach bool) {
			all = append(all, Measure{
				Measure: report.Measure{
					Name: fmt.Sprintf("options-%d-%s", n, name), Group: "options", Unit: "request", Main: report.CPU,
					About: fmt.Sprintf("OPTIONS on %s, %s", plural(n, "connection"), how),
				},
				Reach: reach, Quick: reach, Pilot: optionsPilot(n, rate), counted: true, extra: always(extra), skip: answers,
				run: requests(n, window, rate),
			})
		}
		for _, w := range []int{1, 8, 32} {
			add(fmt.Sprintf("w%d", w), fmt.Sprintf("closed loop, %d under way on each", w), w, 0, n == 50 && w == 1 || n == 1 && w == 32)
		}
		for _, r := range []int{1000, 5000} {
			add(fmt.Sprintf("r%d", r), fmt.Sprintf("%d,000 a second", r/1000), 0, float64(r), n == 50 && r == 1000)
		}
	}
	return all
}

// optionsPilot is one of the loads with as many connections: the closed loops are alike, and the rates.
func optionsPilot(connections int, rate float64) string {
	how := map[int]string{1: "w32", 50: "w1", 1000: "w8"}[connections]
	if rate > 0 {
		how = "r1000"
	}
	return fmt.Sprintf("options-%d-%s", connections, how)
}

// scale is the same rate on more and more connections. Systems that collect garbage have much of it behind many
// handshakes, and some give the memory back: what that costs once is not what a message costs with many connections.
func scale() []Measure {
	const (
		rate   = 2000
		settle = 5 * time.Second
	)
	var all []Measure
	for _, n := range []int{1, 100, 1000, 10000} {
		all = append(all, Measure{
			Measure: report.Measure{
				Name: fmt.Sprintf("scale-%d", n), Group: "scale", Unit: "request", Main: report.CPU,
				About: fmt.Sprintf("OPTIONS at 2,000 a second on %s, from five seconds after their handshakes on", plural(n, "connection")),
			},
			Reach: n == 1 || n == 10000, counted: true, extra: always(settle + time.Duration(n)*1500*time.Microsecond),
			skip: first(variant, func(s system.System) string {
				if s.Role != system.Ours && s.Role != system.Baseline {
					return "too many handshakes at once for some"
				}
				return ""
			}),
			run: func(ctx context.Context, t *trial) error {
				t.settle = settle
				return requests(n, 0, rate)(ctx, t)
			},
		})
	}
	return all
}
