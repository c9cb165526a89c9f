package system

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

// home is one for all tests, which builds each program once.
var home *Home

func TestMain(m *testing.M) {
	var err error
	if home, err = NewHome(context.Background()); err != nil {
		panic(err)
	}
	code := m.Run()
	home.Close()
	os.Exit(code)
}

// TestEverySystem starts what is installed, has it answer and carry a call, and ends it.
func TestEverySystem(t *testing.T) {
	h := home
	for _, s := range append(All(), Loops()...) {
		t.Run(s.Name, func(t *testing.T) {
			if testing.Short() && s.Role != Ours {
				t.Skip("a peer")
			}
			p, err := h.Prepare(t.Context(), s)
			if errors.Is(err, ErrMissing) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s %s", p.Path, p.Version)
			cfg, err := h.CA.ServerConfig("ecdsa", "127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			callee, err := load.Listen("127.0.0.1:0", cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer callee.Close()
			i := run(t, h, p, Setup{Workers: s.Workers[0], Key: "rsa", Callee: callee.Addr(), CalleeTLS: true})
			r, err := load.Calls{
				Peer: load.Peer{Addr: i.Addr, TLS: h.CA.ClientConfig()}, URI: callee.URI(), Count: 3, Duration: time.Minute,
				Timeout: 20 * time.Second,
			}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r.Seen(callee.Stats()); r.Done != 3 {
				t.Errorf("%v", r)
			}
			if pids, err := i.Group().PIDs(); err != nil || len(pids) == 0 {
				t.Error(pids, err)
			}
			i.Stop()
			if err := i.Fault(); err != nil {
				t.Errorf("an end that was asked for is none of its own: %v", err)
			}
			if _, err := i.Group().PIDs(); err == nil {
				t.Error("processes stay behind")
			}
		})
	}
}

// run starts a system for a test and waits until it answers.
func run(t *testing.T, h *Home, p Prepared, s Setup) *Instance {
	t.Helper()
	var err error
	if s.Dir, err = h.Certificates(s.Key); err != nil {
		t.Fatal(err)
	}
	if s.Addr, err = UnusedAddr(); err != nil {
		t.Fatal(err)
	}
	i, err := p.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		i.Stop()
		if t.Failed() {
			t.Logf("%s:\n%s", p.Name, strings.Join(i.Log(), "\n"))
		}
	})
	if err := i.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return i
}

// TestUnaskedEnd wants to be told how a system died, by the line that says so.
func TestUnaskedEnd(t *testing.T) {
	i, err := start("/bin/sh", []string{"-c", "echo fine; echo 'child 7 exited by a signal 11'; echo bye; exit 3"}, nil, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	i.Addr = "127.0.0.1:1" // nobody's
	err = i.Ready(t.Context())
	if err == nil || !strings.Contains(err.Error(), "signal 11") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("Ready: %v", err)
	}
	if err := i.Fault(); err == nil || !strings.Contains(err.Error(), "signal 11") {
		t.Errorf("Fault: %v", err)
	}
	i.Stop()
}

func TestLogKeepsBothEnds(t *testing.T) {
	i, err := start("/bin/sh", []string{"-c", "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done"}, nil, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	<-i.exited
	<-i.read
	log := i.Log()
	if len(log) != 2*keptLines || log[0] != "line 0" || log[len(log)-1] != "line 999" {
		t.Errorf("%d lines, %q to %q", len(log), log[0], log[len(log)-1])
	}
	i.Stop()
}

func TestMissing(t *testing.T) {
	s := kamailio()
	s.prepare = installed("no-such-program", "-v")
	if _, err := home.Prepare(t.Context(), s); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "apt-get install kamailio") {
		t.Error(err)
	}
	if _, err := Find("nobody"); err == nil {
		t.Error("found nobody")
	}
}

// TestMetrics has our engine tell its metrics where the set-up says.
func TestMetrics(t *testing.T) {
	h := home
	p, err := h.Prepare(t.Context(), sipreactorGo())
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := UnusedAddr()
	if err != nil {
		t.Fatal(err)
	}
	i := run(t, h, p, Setup{Key: "ecdsa", Metrics: metrics})
	before, err := i.Metric(t.Context(), "go_memstats_mallocs_total")
	if err != nil || before <= 0 {
		t.Fatal(before, err)
	}
	if after, err := i.Metric(t.Context(), "go_memstats_mallocs_total"); err != nil || after <= before {
		t.Error(before, after, err)
	}
	if _, err := i.Metric(t.Context(), "no_such_metric"); err == nil {
		t.Error("a metric that is not there")
	}
	if err := i.Reload(); err != nil {
		t.Error(err)
	}
}
