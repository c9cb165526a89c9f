package compare

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/bench/report"
	"sipreactor/bench/sample"
	"sipreactor/bench/system"
)

// Config says what to compare, and how.
type Config struct {
	Measures []Measure
	Systems  []system.System
	Runs     int           // of each measure
	Window   time.Duration // that is measured in each run
	Quick    bool          // one set-up a peer
	Command  string        // how this was called
	Progress io.Writer     // what runs, how far, what is left
	Bench    string        // the bench program, for what runs beside a load
}

// warm is how long a load runs before it is measured.
func (c *Config) warm() time.Duration { return max(c.Window/4, 300*time.Millisecond) }

// Run compares. When ctx ends early, what was measured by then is in the report all the same. The error tells that it
// could not begin.
func Run(ctx context.Context, cfg Config) (*report.Report, error) {
	// Our own children get the limit too, once it is set explicitly.
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return nil, err
	}
	files.Cur = files.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return nil, err
	}
	home, err := system.NewHome(ctx)
	if err != nil {
		return nil, err
	}
	defer home.Close()
	r := &report.Report{Began: time.Now().UTC(), Command: cfg.Command, Machine: sample.ThisMachine(), Notes: notes(cfg)}
	c := &comparison{cfg: cfg, home: home, report: r, best: map[string]int{}}
	c.prepare(ctx)
	for _, m := range cfg.Measures {
		r.Measures = append(r.Measures, m.Measure)
	}
	c.plan()
	for _, m := range cfg.Measures {
		c.measure(ctx, m)
	}
	r.Ended = time.Now().UTC()
	return r, nil
}

// notes is what a reader has to know of every figure.
func notes(cfg Config) []string {
	return []string{
		fmt.Sprintf("Each run is a window of %v after %v of the same load; figures are the median of the runs, ± half their range.", cfg.Window, cfg.warm()),
		"CPU is that of all the server's threads, from the scheduler's account, divided by the units done in the window. Server and loader share the machine's cores.",
		"Latencies at a fixed rate run from the instant at which a unit was due: nothing is omitted. Those of a closed loop are of what was sent.",
		"Every handshake uses X25519, so that all compute the same; TLS 1.2 with AES-128-GCM.",
		"System calls and allocations are counted a message that the server receives: one a request, six a call.",
		"The best SIP peer is that of Kamailio and OpenSIPS which has the lowest figure. plain-go and sipgo are baselines: Go, with the same crypto/tls as sipreactor.",
		"sipp's response times are its own account, in whole milliseconds: to the first request of a call, and below the table to each.",
		"haproxy relays to a callee: plain TCP behind handshakes, TLS behind calls. With idle connections it waits for data before it connects on.",
	}
}

type comparison struct {
	cfg      Config
	home     *system.Home
	report   *report.Report
	prepared []system.Prepared
	best     map[string]int // number of workers that did best under the last load that tried them, by system

	step, steps int           // runs done, and planned
	left        time.Duration // estimated for what is planned
	spent, was  time.Duration // for what is done: real and estimated
}

// prepare builds and looks up the systems.
func (c *comparison) prepare(ctx context.Context) {
	for _, s := range c.cfg.Systems {
		fmt.Fprintf(c.cfg.Progress, "preparing %s\n", s.Name)
		entry := report.System{Name: s.Name, About: s.About, Role: string(s.Role)}
		p, err := c.home.Prepare(ctx, s)
		if err != nil {
			entry.Missing = err.Error()
			fmt.Fprintf(c.cfg.Progress, "  %v\n", err)
		} else {
			entry.Version = p.Version
			c.prepared = append(c.prepared, p)
		}
		c.report.Systems = append(c.report.Systems, entry)
	}
}

// setups are the numbers of workers that are tried under a load.
func (c *comparison) setups(m Measure, s system.System) []int {
	switch best, known := c.best[s.Name]; {
	case m.Tries && !c.cfg.Quick:
		return s.Workers
	case known:
		return []int{best}
	}
	return s.Workers[:1]
}

func (c *comparison) runs(m Measure) int {
	if m.Once {
		return 1
	}
	return max(c.cfg.Runs, 1)
}

// plan estimates how much there is to do.
func (c *comparison) plan() {
	for _, m := range c.cfg.Measures {
		for _, p := range c.prepared {
			if m.on(p.System) {
				n := len(c.setups(m, p.System)) + c.runs(m) - 1
				c.steps += n
				c.left += time.Duration(n) * m.takes(&c.cfg)
			}
		}
	}
	fmt.Fprintf(c.cfg.Progress, "%d runs, about %v\n", c.steps, c.left.Round(time.Second))
}

// measure runs one load: all systems in turn, and that again. The first time each is tried with every number of workers,
// then with the best.
func (c *comparison) measure(ctx context.Context, m Measure) {
	best := map[string]int{}
	for run := range c.runs(m) {
		for _, p := range c.prepared {
			if !m.on(p.System) || ctx.Err() != nil {
				continue
			}
			if run > 0 {
				c.add(m, p, best[p.Name], c.one(ctx, m, p, best[p.Name], run))
				continue
			}
			var first []report.Run
			tried := map[string]float64{}
			setups := c.setups(m, p.System)
			for _, workers := range setups {
				out := c.one(ctx, m, p, workers, run)
				first = append(first, out)
				if v, ok := out.Values[m.Main]; ok && out.Fault == "" {
					tried[strconv.Itoa(workers)] = v
				}
			}
			i := bestOf(first, m.Main)
			best[p.Name] = setups[i]
			if m.Tries {
				c.best[p.Name] = setups[i]
			}
			if res := c.add(m, p, setups[i], first[i]); len(setups) > 1 {
				res.Tried = tried
			}
		}
	}
}

// bestOf picks the run to go on with: no fault, and the least.
func bestOf(runs []report.Run, metric string) int {
	return slices.IndexFunc(runs, func(r report.Run) bool {
		return !slices.ContainsFunc(runs, func(other report.Run) bool { return better(other, r, metric) })
	})
}

func better(a, b report.Run, metric string) bool {
	x, hasX := a.Values[metric]
	y, hasY := b.Values[metric]
	hasX, hasY = hasX && a.Fault == "", hasY && b.Fault == ""
	return hasX && (!hasY || x < y)
}

func (c *comparison) add(m Measure, p system.Prepared, workers int, run report.Run) *report.Result {
	if run.Values == nil && run.Fault == "" {
		return &report.Result{} // interrupted
	}
	res := c.report.Add(m.Name, p.Name, run)
	res.Workers = workers
	res.Command = fmt.Sprintf("go run ./bench --only %s --peer %s", m.Name, p.Name)
	return res
}

// one is one run.
func (c *comparison) one(ctx context.Context, m Measure, p system.Prepared, workers, run int) report.Run {
	estimate := m.takes(&c.cfg)
	name := p.Name
	if workers > 0 {
		name += "×" + strconv.Itoa(workers)
	}
	c.step++
	fmt.Fprintf(c.cfg.Progress, "[%d/%d, %v left] %-24s %-20s run %d/%d  ",
		c.step, c.steps, c.remaining().Round(time.Second), m.Name, name, run+1, c.runs(m))
	began := time.Now()
	t := &trial{cfg: &c.cfg, home: c.home, system: p, workers: workers}
	err := m.run(ctx, t)
	t.end()
	if err != nil && t.out.Fault == "" {
		t.out.Fault = err.Error()
	}
	if ctx.Err() != nil {
		t.out = report.Run{}
	}
	c.left -= estimate
	c.was += estimate
	c.spent += time.Since(began)
	fmt.Fprintln(c.cfg.Progress, says(t.out, m.Main))
	return t.out
}

// remaining corrects the estimate by how long things have taken.
func (c *comparison) remaining() time.Duration {
	if c.was == 0 {
		return c.left
	}
	return time.Duration(float64(c.left) * float64(c.spent) / float64(c.was))
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
