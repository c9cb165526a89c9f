package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/cmd/sipreactor/load"
)

// meter shows a load under way: a line that is rewritten on a terminal, a line a second elsewhere.
type meter struct {
	out      io.Writer
	terminal bool
	tally    *load.Tally
}

// isTerminal tells whether w is one, so that control characters make sense.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// run shows the load until ctx is over.
func (m *meter) run(ctx context.Context) {
	every := time.Second
	if m.terminal {
		every = 200 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := m.read()
	for {
		select {
		case <-ctx.Done():
			if m.terminal {
				fmt.Fprint(m.out, "\r\x1b[K")
			}
			return
		case <-tick.C:
		}
		now := m.read()
		line := "  " + now.since(last)
		last = now
		if m.terminal {
			fmt.Fprint(m.out, "\r\x1b[K", line)
		} else {
			fmt.Fprintln(m.out, line)
		}
	}
}

// reading is what the meter reads at an instant.
type reading struct {
	at      time.Time
	calls   int64
	bad     int64
	cpu     time.Duration
	latency load.Summary
}

func (m *meter) read() reading {
	return reading{
		at: time.Now(), calls: m.tally.Done.Load(),
		bad: m.tally.Failed.Load() + m.tally.Lost.Load() + m.tally.Duplicated.Load(),
		cpu: cpuTime(), latency: m.tally.Latency.Summary(),
	}
}

// since is the line for the time from one reading to another.
func (r reading) since(last reading) string {
	calls, elapsed := r.calls-last.calls, r.at.Sub(last.at).Seconds()
	line := fmt.Sprintf("%7.0f calls/s  answered p50 %s p99 %s", float64(calls)/elapsed, short(r.latency.P50), short(r.latency.P99))
	if calls > 0 {
		line += fmt.Sprintf("  CPU %s a call", short((r.cpu-last.cpu)/time.Duration(calls)))
	}
	if r.bad > 0 {
		line += fmt.Sprintf("  %d bad", r.bad)
	}
	return line
}

// cpuTime is what the process has used, user and system.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// short rounds a duration to three digits.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
