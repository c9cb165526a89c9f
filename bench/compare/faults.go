package compare

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
	"sipreactor/cmd/sipreactor/load"
)

// The probe is 100 requests a second on 10 connections.
const (
	probeRate  = 100
	probeConns = 10
)

// fault is what goes on beside the probe.
type fault struct {
	name, about string
	skip        func(system.System) string
	prepare     func(*trial, *system.Setup) (undo func(), err error)
	disturb     func(t *trial) []string // arguments of a bench program that runs meanwhile
	meanwhile   func(ctx context.Context, t *trial)
}

var faultKinds = []fault{
	{name: "quiet", about: "nothing else"},
	{name: "storm", about: "a storm of handshakes, 32 at once", disturb: func(t *trial) []string {
		return []string{"handshakes", "--window", "32"}
	}},
	{name: "silent", about: "200 clients that connect and say nothing", disturb: func(t *trial) []string {
		return []string{"disturb", "--kind", "silent", "--connections", "200"}
	}},
	{name: "slow", about: "50 clients that send and read no answer", disturb: func(t *trial) []string {
		return []string{"disturb", "--kind", "slow", "--connections", "50"}
	}},
	{name: "blackhole", about: "50 requests a second for 20 destinations that do not answer", disturb: func(t *trial) []string {
		return []string{"disturb", "--kind", "blackhole", "--rate", "50"}
	}},
	{name: "reload", about: "a reload of the certificates a second", skip: func(s system.System) string {
		if !s.Reload {
			return "SIGHUP reloads nothing"
		}
		return ""
	}, meanwhile: func(ctx context.Context, t *trial) {
		for pause(ctx, time.Second) == nil {
			_ = t.inst.Reload() // an instance that is gone is found by who measures
		}
	}},
	{name: "trace", about: "tracing to a collector that does not answer", skip: func(s system.System) string {
		if !s.Traces {
			return "it does not trace by HEP"
		}
		return ""
	}, prepare: func(_ *trial, s *system.Setup) (func(), error) {
		hole, err := load.NewBlackHole()
		if err != nil {
			return nil, err
		}
		s.HEP = hole.Addr()
		return hole.Close, nil
	}},
}

// faults is the probe while something else goes on.
func faults() []Measure {
	var all []Measure
	for _, f := range faultKinds {
		all = append(all, Measure{
			Measure: report.Measure{
				Name: "probe-" + f.name, Group: "faults", Unit: "request", Main: report.P99,
				About: "a probe of 100 OPTIONS a second on 10 connections, whose client has the first claim on the cores; meanwhile: " + f.about,
			},
			Reach: true, Quick: f.name != "blackhole", Pilot: "options-50-r1000",
			skip: first(answers, variant, f.skip),
			run:  func(ctx context.Context, t *trial) error { return t.probe(ctx, f) },
		})
	}
	return all
}

func (t *trial) probe(ctx context.Context, f fault) error {
	s, err := t.setup("ecdsa")
	if err != nil {
		return err
	}
	if f.prepare != nil {
		undo, err := f.prepare(t, &s)
		if err != nil {
			return err
		}
		defer undo()
	}
	if err := t.start(ctx, s); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.meanwhile != nil {
		over := make(chan struct{})
		go func() {
			defer close(over)
			f.meanwhile(ctx, t)
		}()
		defer func() {
			cancel()
			<-over
		}()
	}
	disturbed := func() error { return nil }
	if f.disturb != nil {
		if disturbed, err = t.beside(f.disturb(t)); err != nil {
			return err
		}
	}
	if calm, err := urgent(); err != nil {
		t.out.Note = err.Error()
	} else {
		defer calm()
	}
	err = t.watch(ctx, 0, t.options(probeConns, 0, probeRate))
	delete(t.out.Values, report.CPU) // the probe is not what the CPU went into
	t.out.Threads = nil
	if failed := disturbed(); failed != nil && err == nil {
		err = failed
	}
	return err
}

// beside runs a bench program against the system until the function that it returns is called, which gives an error if
// the program has ended before. It has the lowest claim on the cores: on a machine that it shares with the system, its
// own computing would otherwise show in the probe.
func (t *trial) beside(args []string) (end func() error, err error) {
	args = append(append([]string{"-n", "19", t.cfg.Bench}, args...), "--to", t.inst.Addr, "--duration", "10m")
	cmd := exec.Command("nice", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("compare: nice: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // by our signal, or by itself: that is told below
		close(exited)
	}()
	return func() error {
		select {
		case <-exited:
			return fmt.Errorf("compare: %s ended: %s", strings.Join(args[2:], " "), strings.TrimSpace(said.String()))
		default:
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-exited
		return nil
	}, nil
}
