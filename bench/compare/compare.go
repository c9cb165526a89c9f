package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	Chosen   bool          // by somebody who wants all of Systems under all of Measures; see spare
	Runs     int           // of each measure
	Window   time.Duration // that is measured in each run
	Workers  int           // of systems where that is a matter of choice; 0: what did best in a pilot
	Quick    bool          // no pilots
	Command  string        // how this was called
	Again    string        // flags that a command for one figure has besides its load and its system
	Progress io.Writer     // what runs, how far, what is left
	Bench    string        // the bench program, for what runs beside a load

	// Save, if there is one, gets the report after each load, so that a comparison that is killed has not been for
	// nothing. An error ends the comparison.
	Save func(*report.Report) error

	pilot bool // what runs is a pilot: only the main figure matters
}

// warm is how long a load runs before it is measured.
func (c *Config) warm() time.Duration { return max(c.Window/4, 300*time.Millisecond) }

// counting is how long system calls are counted.
func (c *Config) counting() time.Duration { return c.Window / 4 }

// Run compares. When ctx ends early, what was measured by then is in the report all the same, which says so. With an
// error there is a report only if the comparison had begun.
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
	c := &comparison{cfg: cfg, home: home, report: r, best: map[choice]int{}}
	c.prepare(ctx)
	if ctx.Err() != nil {
		return nil, errors.New("interrupted before the first run")
	}
	for _, m := range cfg.Measures {
		r.Measures = append(r.Measures, m.Measure)
	}
	if err := c.plan(); err != nil {
		return nil, err
	}
	for _, m := range cfg.Measures {
		c.pilots(ctx, m)
		c.measure(ctx, m)
		if err := c.save(ctx); err != nil {
			return r, err
		}
	}
	return r, nil
}

// save brings the report up to date and hands it on.
func (c *comparison) save(ctx context.Context) error {
	c.report.Ended, c.report.Unfinished = time.Now().UTC(), ""
	if c.step < c.steps || ctx.Err() != nil {
		c.report.Unfinished = fmt.Sprintf("interrupted: %d of %d runs are done", c.step-c.cut, c.steps)
	}
	if c.cfg.Save == nil || ctx.Err() != nil { // who interrupts gets it in a moment
		return nil
	}
	return c.cfg.Save(c.report)
}

// notes is what a reader has to know of every figure.
func notes(cfg Config) []string {
	return []string{
		fmt.Sprintf("Each run is a window of %v after %v of the same load; figures are the median of the runs, ± half their range.", cfg.Window, cfg.warm()),
		"CPU is that of all the server's threads, from the scheduler's account, divided by the units done in the window. Server and loader share the machine's cores.",
		"Latencies at a fixed rate run from the instant at which a unit was due: nothing is omitted. Those of a closed loop are of what was sent.",
		"Clients offer X25519 and P-256. With TLS 1.3 they show a share of X25519, and all servers take it; with TLS 1.2 the server chooses: sipreactor on crypto/tls P-256, the others X25519. TLS 1.2 with AES-128-GCM.",
		"System calls and allocations are counted a message that the server receives: one a request, six a call.",
		"Kamailio, OpenSIPS and HAProxy run with the number of workers that did best in a short pilot of the same load or of one like it; each number was tried twice, in turn.",
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
	best     map[choice]int // numbers of workers that did best

	step, steps int           // runs begun, and planned
	cut         int           // those of the begun that were interrupted
	left        time.Duration // estimated for what is planned
	spent, was  time.Duration // for what is done: real and estimated
}

// prepare builds and looks up the systems.
func (c *comparison) prepare(ctx context.Context) {
	for _, s := range c.cfg.Systems {
		if ctx.Err() != nil {
			return
		}
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

func (c *comparison) runs(m Measure) int {
	if m.Once {
		return 1
	}
	return max(c.cfg.Runs, 1)
}

// measure runs one load: all systems in turn, and that again.
func (c *comparison) measure(ctx context.Context, m Measure) {
	for run := range c.runs(m) {
		for _, p := range c.prepared {
			if !c.takesPart(m, p.System) || ctx.Err() != nil {
				continue
			}
			workers := c.workers(m, p.System)
			out := c.one(ctx, &c.cfg, m, p, workers, fmt.Sprintf("run %d/%d", run+1, c.runs(m)))
			if ctx.Err() == nil {
				c.add(m, p, workers, out)
			}
		}
	}
}

func (c *comparison) add(m Measure, p system.Prepared, workers int, run report.Run) {
	res := c.report.Add(m.Name, p.Name, run)
	res.Workers = workers
	res.Command = fmt.Sprintf("go -C bench run . --only %s --peer %s%s", m.Name, p.Name, c.cfg.Again)
	if len(p.Workers) > 1 {
		res.Command += fmt.Sprintf(" --workers %d", workers)
	}
}
