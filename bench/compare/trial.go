package compare

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/bench/report"
	"sipreactor/bench/sample"
	"sipreactor/bench/system"
	"sipreactor/cmd/sipreactor/load"
)

// trial is one run of one measure with one system.
type trial struct {
	cfg     *Config
	home    *system.Home
	system  system.Prepared
	workers int
	settle  time.Duration // how much longer the load runs before it is measured

	inst    *system.Instance
	callee  *load.Server
	after   []func() // ends what else runs, behind the system
	out     report.Run
	counted string // by what system calls were counted, or why by nothing
}

// setup makes what every system is started with: certificates of a kind and an address.
func (t *trial) setup(key string) (s system.Setup, err error) {
	s.Workers, s.Key = t.workers, key
	if s.Dir, err = t.home.Certificates(key); err != nil {
		return s, err
	}
	if s.Addr, err = system.UnusedAddr(); err != nil {
		return s, err
	}
	if t.system.Role == system.Ours {
		s.Metrics, err = system.UnusedAddr()
	}
	return s, err
}

// behind starts a server for what goes through the system.
func (t *trial) behind(withTLS bool) error {
	var cfg *tls.Config
	var err error
	if withTLS {
		if cfg, err = t.home.CA.ServerConfig("ecdsa", "127.0.0.1"); err != nil {
			return err
		}
		cfg.CurvePreferences = curves
	}
	t.callee, err = load.Listen("127.0.0.1:0", cfg)
	return err
}

// start runs the system, and waits until it answers.
func (t *trial) start(ctx context.Context, s system.Setup) error {
	if t.system.Role == system.Relay {
		if t.callee == nil {
			if err := t.behind(false); err != nil {
				return err
			}
		} else {
			s.CalleeTLS = true
		}
		s.Callee = t.callee.Addr()
	}
	var err error
	if t.inst, err = t.system.Start(s); err != nil {
		return err
	}
	return t.inst.Ready(ctx)
}

// end stops what the trial started and tells what became of the system.
func (t *trial) end() {
	if t.inst != nil {
		if err := t.inst.Fault(); err != nil {
			t.out.Fault = err.Error()
			log := t.inst.Log()
			t.out.Log = log[max(0, len(log)-20):]
		}
		t.inst.Stop()
	}
	if t.callee != nil {
		t.callee.Close()
	}
	for _, end := range t.after {
		end()
	}
}

// curves are those of every client: X25519 first, which all servers take with TLS 1.3 because its share is there. With
// TLS 1.2 the server may choose P-256, which OpenSSL wants among them anyway, as the curve of an ECDSA certificate.
var curves = []tls.CurveID{tls.X25519, tls.CurveP256}

// peer is how a load reaches the system.
func (t *trial) peer(version uint16) load.Peer {
	cfg := t.home.CA.ClientConfig()
	cfg.CurvePreferences, cfg.MinVersion, cfg.MaxVersion = curves, version, version
	cfg.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	return load.Peer{Addr: t.inst.Addr, TLS: cfg}
}

// instant is the state of everything at the begin or end of a window.
type instant struct {
	at     time.Time
	server sample.Snapshot
	busy   time.Duration
	loader time.Duration
	done   int64
}

func (t *trial) look(tally *load.Tally) (i instant, err error) {
	if i.busy, err = sample.Busy(); err != nil {
		return i, err
	}
	var self unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &self); err != nil {
		return i, err
	}
	i.loader = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	i.done, i.at = tally.Done.Load(), time.Now()
	i.server, err = t.inst.Group().Snapshot()
	return i, err
}

// allocated is how much the system has allocated so far; 0 if it does not tell.
func (t *trial) allocated(ctx context.Context) (float64, error) {
	if t.inst.Setup.Metrics == "" {
		return 0, nil
	}
	return t.inst.Metric(ctx, "go_memstats_mallocs_total")
}

// watch offers a load and measures a window of it. run offers it for a duration; messages is how many the system
// receives a unit, 0 if that is not to be told.
func (t *trial) watch(ctx context.Context, messages float64, run func(context.Context, time.Duration, *load.Tally) (load.Result, error)) error {
	tally := load.NewTally()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		r   load.Result
		err error
	}
	over := make(chan outcome, 1)
	go func() {
		r, err := run(ctx, time.Hour, tally) // ended when it is measured
		over <- outcome{r, err}
	}()
	end := func(o outcome) error {
		t.count(o.r)
		return o.err
	}
	for tally.Started.Load() == 0 {
		select {
		case o := <-over:
			return end(o)
		case <-time.After(5 * time.Millisecond):
		}
	}
	measured := func() (err error) {
		if err := pause(ctx, t.settle+t.cfg.warm()); err != nil {
			return err
		}
		tally.Latency.Take()
		// The metrics are read outside the window. What that allocates depends on the connections there are: the first
		// time only tells that.
		var allocated [3]float64
		for i := range allocated[:2] {
			if allocated[i], err = t.allocated(ctx); err != nil {
				return err
			}
		}
		before, err := t.look(tally)
		if err != nil {
			return err
		}
		if err := pause(ctx, t.cfg.Window); err != nil {
			return err
		}
		after, err := t.look(tally)
		if err != nil {
			return err
		}
		latency := tally.Latency.Take()
		if allocated[2], err = t.allocated(ctx); err != nil {
			return err
		}
		t.value(before, after, latency, messages, allocated)
		if messages > 0 && after.done > before.done && !t.cfg.pilot {
			count, err := t.inst.Group().Syscalls(ctx, t.cfg.counting(), tally.Done.Load)
			t.counted = count.By
			if errors.Is(err, sample.ErrNoCount) {
				t.counted = err.Error()
			}
			if err == nil && count.Units > 0 {
				t.out.Values[report.Syscalls] = float64(count.Calls) / float64(count.Units) / messages
			}
		}
		return nil
	}()
	cancel()
	o := <-over
	return errors.Join(end(o), measured)
}

// value turns what was seen into the run's figures. allocated is before the window, the second time after a look at the
// metrics more, and behind the window.
func (t *trial) value(before, after instant, lat load.Summary, messages float64, allocated [3]float64) {
	done := float64(after.done - before.done)
	elapsed := after.at.Sub(before.at).Seconds()
	u := after.server.Since(before.server)
	v := map[string]float64{
		report.Rate:   done / elapsed,
		report.Server: u.CPU.Seconds() / elapsed,
		report.Others: max(0, (after.busy-before.busy-(after.loader-before.loader)-u.CPU).Seconds()/elapsed),
	}
	if done > 0 {
		v[report.CPU] = float64(u.CPU.Microseconds()) / done
		if looking := allocated[1] - allocated[0]; allocated[0] > 0 && messages > 0 {
			v[report.Allocs] = max(0, (allocated[2]-allocated[1]-looking)/done/messages)
		}
		t.out.Threads = threads(u, done)
	}
	if lat.Count > 0 {
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		v[report.P50], v[report.P99], v[report.P999], v[report.Max] = ms(lat.P50), ms(lat.P99), ms(lat.P999), ms(lat.Max)
	}
	t.out.Values = v
}

// threads picks those that did most of the work.
func threads(u sample.Usage, done float64) map[string]float64 {
	const shown = 12
	names := make([]string, 0, len(u.Threads))
	for name := range u.Threads {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(u.Threads[b] - u.Threads[a]) })
	m := map[string]float64{}
	for _, name := range names[:min(shown, len(names))] {
		m[name] = float64(u.Threads[name].Microseconds()) / done
	}
	return m
}

// count takes over what became of the units, and what the server behind the system saw.
func (t *trial) count(r load.Result) {
	if t.callee != nil {
		r.Seen(t.callee.Stats())
	}
	t.out.Counts = map[string]int64{
		report.Started: r.Started, report.Done: r.Done, report.Failed: r.Failed, report.Lost: r.Lost,
		report.Duplicated: r.Duplicated, report.Retransmitted: r.Retransmitted,
	}
	t.out.Reasons = r.Reasons
}

// pause waits, or tells that ctx is over.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
}
