package compare

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
)

// choice is what a number of workers is chosen for.
type choice struct{ pilot, system string }

// pilotRounds is how often each number of workers is tried.
const pilotRounds = 2

// pilotConfig is that of the pilots: short runs, for no figure but the main one.
func (c *comparison) pilotConfig() Config {
	cfg := c.cfg
	cfg.Window, cfg.pilot = max(c.cfg.Window/3, 200*time.Millisecond), true
	return cfg
}

// pilotOf is the load by which the numbers of workers for another one are chosen.
func (c *comparison) pilotOf(m Measure) (pilot Measure, ok bool) {
	all := Measures()
	i := slices.IndexFunc(all, func(p Measure) bool { return p.Name == m.Pilot })
	if i < 0 || c.cfg.Quick || c.cfg.Workers > 0 {
		return Measure{}, false
	}
	return all[i], true
}

// wantsPilot tells whether a system's number of workers is a matter of choice, and not chosen yet.
func (c *comparison) wantsPilot(m, pilot Measure, s system.System) bool {
	_, known := c.best[choice{pilot.Name, s.Name}]
	return !known && len(s.Workers) > 1 && c.takesPart(m, s) && pilot.on(s)
}

// workers is the number to run a system with under a load.
func (c *comparison) workers(m Measure, s system.System) int {
	if len(s.Workers) > 1 && c.cfg.Workers > 0 {
		return c.cfg.Workers
	}
	if best, known := c.best[choice{m.Pilot, s.Name}]; known {
		return best
	}
	return s.Workers[0]
}

// pilots chooses the numbers of workers for a load where that was not done for another one like it: each is tried
// twice for a short time, all systems and numbers in turn.
func (c *comparison) pilots(ctx context.Context, m Measure) {
	pilot, ok := c.pilotOf(m)
	if !ok {
		return
	}
	cfg := c.pilotConfig()
	tried := map[string][][]report.Run{} // by system, then as its numbers of workers
	var wanting []system.Prepared
	for _, p := range c.prepared {
		if c.wantsPilot(m, pilot, p.System) {
			wanting = append(wanting, p)
			tried[p.Name] = make([][]report.Run, len(p.Workers))
		}
	}
	for round := range pilotRounds {
		for _, p := range wanting {
			for i, workers := range p.Workers {
				if ctx.Err() != nil {
					return
				}
				out := c.one(ctx, &cfg, pilot, p, workers, fmt.Sprintf("pilot %d/%d", round+1, pilotRounds))
				tried[p.Name][i] = append(tried[p.Name][i], out)
			}
		}
	}
	if ctx.Err() != nil {
		return
	}
	for _, p := range wanting {
		c.decide(pilot, p, tried[p.Name])
	}
}

// decide takes the best of the numbers of workers that were tried, and keeps in the report why.
func (c *comparison) decide(pilot Measure, p system.Prepared, tried [][]report.Run) {
	entry := report.Pilot{Load: pilot.Name, System: p.Name, Metric: pilot.Main}
	var results []report.Result
	for i, runs := range tried {
		res := report.Result{Workers: p.Workers[i], Runs: runs}
		try := report.Try{Workers: p.Workers[i], Trouble: res.Trouble()}
		for _, run := range runs {
			if v, ok := run.Values[pilot.Main]; ok && run.Fault == "" {
				try.Values = append(try.Values, v)
			}
		}
		entry.Tried = append(entry.Tried, try)
		results = append(results, res)
	}
	best := bestOf(results, pilot.Main)
	entry.Chosen = p.Workers[best]
	c.best[choice{pilot.Name, p.Name}] = entry.Chosen
	c.report.Pilots = append(c.report.Pilots, entry)
}

// bestOf picks the set-up to go on with: the one with the fewest faults, and of those the one with the least figure.
func bestOf(tried []report.Result, metric string) int {
	best := 0
	for i := range tried {
		if better(&tried[i], &tried[best], metric) {
			best = i
		}
	}
	return best
}

func better(a, b *report.Result, metric string) bool {
	if n, m := crashes(a), crashes(b); n != m {
		return n < m
	}
	x, hasX := a.Stat(metric)
	y, hasY := b.Stat(metric)
	return hasX && (!hasY || x.Median < y.Median)
}

func crashes(r *report.Result) int {
	n := 0
	for _, run := range r.Runs {
		if run.Fault != "" {
			n++
		}
	}
	return n
}
