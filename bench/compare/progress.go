package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
)

// spare tells of systems that are there to tell where a difference comes from: in a comparison of everything they run
// under the loads that a figure to reach hangs on, and under what is only for them.
func spare(s system.System) bool { return s.Variant || s.Role == system.Baseline }

// takesPart tells whether a system is to run under a load.
func (c *comparison) takesPart(m Measure, s system.System) bool {
	return m.on(s) && (c.cfg.Chosen || m.Reach || m.Group == "scale" || !spare(s))
}

// plan estimates how much there is to do. The error tells that there is nothing.
func (c *comparison) plan() error {
	planned := map[choice]bool{}
	for _, m := range c.cfg.Measures {
		if pilot, ok := c.pilotOf(m); ok {
			for _, p := range c.prepared {
				if key := (choice{pilot.Name, p.Name}); c.wantsPilot(m, pilot, p.System) && !planned[key] {
					planned[key] = true
					cfg := c.pilotConfig()
					n := pilotRounds * len(p.Workers)
					c.steps += n
					c.left += time.Duration(n) * pilot.takes(&cfg, p.System)
				}
			}
		}
		for _, p := range c.prepared {
			if c.takesPart(m, p.System) {
				c.steps += c.runs(m)
				c.left += time.Duration(c.runs(m)) * m.takes(&c.cfg, p.System)
			}
		}
	}
	why := c.leftOut()
	if c.steps == 0 {
		for _, s := range c.report.Systems {
			if s.Missing != "" {
				why = append(why, s.Name+": "+s.Missing)
			}
		}
		return errors.New("there is nothing to measure: " + strings.Join(why, "; "))
	}
	c.report.Notes = append(c.report.Notes, why...)
	fmt.Fprintf(c.cfg.Progress, "%d runs, about %v\n", c.steps, c.left.Round(time.Second))
	return nil
}

// leftOut tells what does not run, and why, by system and reason.
func (c *comparison) leftOut() []string {
	type key struct{ system, why string }
	var order []key
	loads := map[key][]string{}
	for _, m := range c.cfg.Measures {
		for _, p := range c.prepared {
			if c.takesPart(m, p.System) {
				continue
			}
			k := key{p.Name, "that is left out unless loads or systems are chosen"}
			if m.skip != nil && m.skip(p.System) != "" {
				k.why = m.skip(p.System)
			}
			if loads[k] == nil {
				order = append(order, k)
			}
			loads[k] = append(loads[k], m.Name)
		}
	}
	slices.SortStableFunc(order, func(a, b key) int { return strings.Compare(a.system, b.system) })
	var all []string
	for _, k := range order {
		all = append(all, fmt.Sprintf("%s does not run under %s: %s.", k.system, strings.Join(loads[k], ", "), k.why))
	}
	return all
}

// one is one run. what names it in the progress.
func (c *comparison) one(ctx context.Context, cfg *Config, m Measure, p system.Prepared, workers int, what string) report.Run {
	estimate := m.takes(cfg, p.System)
	c.step++
	fmt.Fprintf(c.cfg.Progress, "[%d/%d, %v left] %-24s %-20s %-8s  ",
		c.step, c.steps, c.remaining().Round(time.Second), m.Name, withWorkers(p.Name, workers), what)
	began := time.Now()
	t := &trial{cfg: cfg, home: c.home, system: p, workers: workers}
	err := m.run(ctx, t)
	t.end()
	if t.counted != "" {
		c.report.Counted = t.counted
	}
	if ctx.Err() != nil {
		c.cut++
		fmt.Fprintln(c.cfg.Progress, "interrupted")
		return report.Run{}
	}
	if err != nil && t.out.Fault == "" {
		t.out.Fault = err.Error()
	}
	c.left -= estimate
	c.was += estimate
	c.spent += time.Since(began)
	fmt.Fprintln(c.cfg.Progress, says(t.out, m.Main))
	return t.out
}

func withWorkers(name string, workers int) string {
	if workers > 0 {
		name += "×" + strconv.Itoa(workers)
	}
	return name
}

// trusted is how much of what was measured counts as much as the estimate.
const trusted = 2 * time.Minute

// remaining corrects the estimate by how long things have taken.
func (c *comparison) remaining() time.Duration {
	return time.Duration(float64(c.left) * float64(c.spent+trusted) / float64(c.was+trusted))
}

// says is a run in a few words.
func says(r report.Run, main string) string {
	text := "no figure"
	if v, ok := r.Values[main]; ok {
		text = report.MetricOf(main).Format(v)
	}
	if v, ok := r.Values[report.Rate]; ok && main != report.Rate {
		text += ", " + report.MetricOf(report.Rate).Format(v)
	}
	one := report.Result{Runs: []report.Run{r}}
	if t := one.Trouble(); t != "" {
		text += "  (" + t + ")"
	}
	return text
}
