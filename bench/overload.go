package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"sipreactor/cmd/sipreactor/load"
)

// stage is one rate of an overload, as a multiple of what a closed loop got.
type stage struct {
	Times  float64     `json:"times"`
	Rate   float64     `json:"rate"`
	Result load.Result `json:"result"`
}

// runOverload finds out what the system under test carries in a closed loop, and then offers that once, twice and three
// times over. It is clean when every request got an answer, a refusal or another.
func runOverload(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := newFlags("overload", out)
	if err := f.parse(args); err != nil {
		return false, err
	}
	o := load.Options{
		Peer: f.peer(), URI: f.uri(), Connections: f.connections, Window: max(f.window, 1), Duration: f.duration, Timeout: f.timeout,
	}
	peak, err := o.Run(ctx)
	if err != nil {
		return false, err
	}
	stages := []stage{{Result: peak}}
	clean := peak.Lost == 0
	for _, times := range []float64{1, 2, 3} {
		o.Rate = times * peak.Goodput()
		r, err := o.Run(ctx)
		if err != nil {
			return false, err
		}
		clean = clean && r.Lost == 0
		stages = append(stages, stage{times, o.Rate, r})
	}
	if f.json {
		return clean, f.print(out, stages)
	}
	return clean, f.print(out, overloadTable(stages))
}

// overloadTable is for people; the first stage is the closed loop. Goodput is what was answered 200 while requests began,
// by that time; afterwards is what came later.
func overloadTable(stages []stage) string {
	peak := stages[0].Result.Goodput()
	var b strings.Builder
	fmt.Fprintf(&b, "%8s %10s %10s %8s %10s %10s %10s\n", "offered", "a second", "goodput/s", "of peak", "afterwards", "refused", "unanswered")
	for _, s := range stages {
		offered, share := "closed", 1.0
		if s.Times > 0 {
			offered, share = fmt.Sprintf("%g×", s.Times), s.Result.Goodput()/max(peak, 1)
		}
		r := s.Result
		fmt.Fprintf(&b, "%8s %10.0f %10.0f %7.0f%% %10d %10d %10d\n",
			offered, s.Rate, r.Goodput(), 100*share, r.Done-r.DoneInTime, r.Failed, r.Lost)
	}
	return b.String()
}
