package script

import (
	"log/slog"
	"strings"
	"testing"

	"sipreactor/reactor"
)

// TestPanicsOfRoutes: a panic of a route that runs on no worker is one line with the stack, of each place, and the routes
// behind it run.
func TestPanicsOfRoutes(t *testing.T) {
	b, x := waitingBench(t, `
startup_route { cache_store("test", "k", "startup"); xlog("not reached"); }
timer_route[t, 1] { cache_store("test", "k", "timer"); }
event_route[E_CORE_TCP_DISCONNECT] { if ($param(src_port) == 1) cache_store("test", "k", "event"); xlog("event $param(src_port)"); }
event_route[E_TCP_CONNECT_FAILED] { launch(cache_store("test", "k", "launched")); xlog("launches"); }
route { exit; }`)
	log, p := new(journal), b.cfg.Program
	p.SetLogger(slog.New(log))
	x.cache.m = nil // whose Set panics
	for name, run := range map[string]func(){
		"startup_route": p.Startup,
		"timer_route":   p.Timers()[0].Run,
		"event_route":   func() { p.Event(EventDisconnect, NumberParam("src_port", 1)) },
	} {
		run()
		run() // told as one
		got := log.take()
		if len(got) != 1 || !strings.HasPrefix(got[0], "the script has panicked at=test.cfg:") || !strings.Contains(got[0], "nil map") || !strings.Contains(got[0], "(*memory).Set") {
			t.Errorf("%s: %q", name, got)
		}
	}
	p.Event(EventDisconnect, NumberParam("src_port", 2))
	if got := log.take(); len(got) != 1 || got[0] != "event 2" {
		t.Errorf("the next event: %q", got)
	}
	p.Event(EventConnectFailed)
	for i, line := range log.wait(t, 2) {
		if !strings.Contains(line, "(*memory).Set") && line != "launches" {
			t.Errorf("line %d of launch(): %q", i, line)
		}
	}

	back := NewBackground(p)
	back.Start()
	defer back.Close()
	back.happen(1, "192.0.2.100:5061", reactor.IdleTimeout, reactor.ConnEstablished, reactor.ConnClosed)
	if got := log.wait(t, 1); got[0] != "event 40000" {
		t.Errorf("behind a startup_route that panics: %q", got)
	}
}
