package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

func TestReadingSince(t *testing.T) {
	at := time.Now()
	first := reading{at: at, calls: 100, cpu: time.Second}
	now := reading{
		at: at.Add(2 * time.Second), calls: 300, cpu: time.Second + 40*time.Millisecond,
		latency: load.Summary{P50: 1234 * time.Microsecond, P99: 45678 * time.Microsecond},
	}
	line := now.since(first)
	for _, want := range []string{"100 calls/s", "p50 1.23ms", "p99 45.7ms", "CPU 200µs a call"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
	if strings.Contains(line, "bad") {
		t.Errorf("%q", line)
	}
	now.bad, now.calls = 3, 100
	if line = now.since(first); !strings.Contains(line, "3 bad") || strings.Contains(line, "a call") {
		t.Errorf("%q", line)
	}
}

func TestMeterClearsItsLineOnATerminal(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		var b strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		(&meter{out: &b, terminal: terminal, tally: load.NewTally()}).run(ctx)
		if got := strings.ContainsAny(b.String(), "\r\x1b"); got != terminal {
			t.Errorf("terminal %v: %q", terminal, b.String())
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1234 * time.Nanosecond: "1µs", 1234567 * time.Nanosecond: "1.23ms",
		123456 * time.Microsecond: "123.5ms", 1234567 * time.Microsecond: "1.23s",
	} {
		if got := short(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}

func TestCPUTimeGrows(t *testing.T) {
	before := cpuTime()
	for n := 0; cpuTime() == before && n < 1<<30; n++ {
	}
	if cpuTime() <= before {
		t.Error("no CPU time passed")
	}
}
