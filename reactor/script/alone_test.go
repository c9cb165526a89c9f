package script

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
)

func TestStartup(t *testing.T) {
	cfg, log := recorded(t, `
startup_route {
	if ($var(n) != NULL) xlog("used");
	$var(n) = 1;
	xlog("starting on $Ri $proto $rm$ci $var(n)");
	route(rest);
	xlog("not reached");
}
route[rest] { xlog("rest"); exit; }
`)
	for range 2 {
		cfg.Program.Startup()
		if got := strings.Join(*log, "|"); got != "starting on <null> <null> <null><null> 1|rest" {
			t.Error(got)
		}
		*log = nil
	}
	cfg, log = recorded(t, "")
	cfg.Program.Startup()
	if len(*log) != 0 || len(cfg.Program.Timers()) != 0 {
		t.Error("something runs in a file without such routes")
	}
}

func TestTimers(t *testing.T) {
	cfg, log := recorded(t, `
timer_route[slow, 60] { xlog("slow"); }
timer_route[quick, 1] { xlog("quick $Ts"); drop; }
`)
	timers := cfg.Program.Timers()
	if len(timers) != 2 || timers[0].Name != "slow" || timers[0].Every != time.Minute || timers[1].Every != time.Second {
		t.Fatalf("%+v", timers)
	}
	timers[1].Run()
	timers[0].Run()
	timers[0].Run()
	if got := *log; len(got) != 3 || !strings.HasPrefix(got[0], "quick ") || got[1] != "slow" || got[2] != "slow" {
		t.Error(got)
	}
	timers[0].Name = "changed"
	if cfg.Program.Timers()[0].Name != "slow" {
		t.Error("the list belongs to the program")
	}
}

// A route that never ends by itself is stopped by the bounds.
func TestTimerThatLoops(t *testing.T) {
	cfg, log := recorded(t, `timer_route[t, 1] { while (1) $var(x) += 1; xlog("behind"); }`)
	cfg.Program.Timers()[0].Run()
	if len(*log) == 0 {
		t.Error("nothing tells of the loop")
	}
}

const filterHead = `socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
loadmodule "sl.so"
loadmodule "sipmsgops.so"
modparam("proto_tls", "trace_filter_route", "which")
route { forward(); }
`

func TestFilter(t *testing.T) {
	cfg, err := compile("test.cfg", []byte(filterHead+`
route[which] {
	if ($si == "192.0.2.1" || $socket_in(port) == 5070)
		drop;
	if ($sp > 60000)
		exit;
	if ($ru == NULL && $proto == "tls")
		route(deeper);
}
route[deeper] { if ($si =~ "^198\.") drop; }
`))
	if err != nil {
		t.Fatal(err)
	}
	at := func(port uint16) *reactor.Socket {
		return &reactor.Socket{Proto: reactor.TLS, Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
	}
	for _, tt := range []struct {
		remote string
		port   uint16
		want   bool
	}{
		{"192.0.2.1:5000", 5061, false},
		{"192.0.2.2:5000", 5061, true},
		{"192.0.2.2:5000", 5070, false},
		{"198.51.100.1:5000", 5061, false},
		{"198.51.100.1:60001", 5061, true},
	} {
		src := &reactor.Source{Proto: reactor.TLS, Remote: netip.MustParseAddrPort(tt.remote), Socket: at(tt.port),
			Local: at(tt.port).Addr}
		for range 2 { // the second time on a machine that was used
			if got := cfg.Program.Filter("which", src); got != tt.want {
				t.Errorf("%s to %d: %v, want %v", tt.remote, tt.port, got, tt.want)
			}
		}
	}
	if !cfg.Program.Filter("nobody", &reactor.Source{}) {
		t.Error("a route that is not there stops something")
	}
}

// A function that needs a message is an error where there is none.
func TestFilterWithoutMessage(t *testing.T) {
	_, err := compile("test.cfg", []byte(filterHead+`route[which] { sl_send_reply(200, "OK"); }`))
	if err == nil || !strings.Contains(err.Error(), "cannot be used in") {
		t.Error(err)
	}
}

// TestCalledWithoutMessage checks that it does nothing in a route that is called from
// there, by a name that a variable has, too, and that this is told.
func TestCalledWithoutMessage(t *testing.T) {
	for _, call := range []string{`route(deeper);`, `$var(n) = "deeper"; route($var(n));`} {
		cfg, err := compile("test.cfg", []byte(filterHead+`route[which] { `+call+` if ($var(did) == "ok" && $rc == 1) drop; }
route[deeper] {
	$var(did) = "ok";
	$du = "sip:192.0.2.1";
	if ($du != NULL) $var(did) = "assigned";
	if (sl_send_reply(200, "OK")) $var(did) = "replied";
	if (is_method("INVITE")) $var(did) = "known";
	return(1);
}`))
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Program.Filter("which", &reactor.Source{Remote: netip.MustParseAddrPort("192.0.2.1:5060")}) {
			t.Errorf("%s: something was done without a message", call)
		}
	}
}

// Whatever a route asks of a message that is not there, it gets an answer.
func TestFilterReadsEverything(t *testing.T) {
	args := map[InnerKind]string{ConstInner: "(x)", AnyInner: "(x)"}
	words := everyWord()
	for _, name := range words.variableNames() {
		spec := words.variableNamed(name)
		text := "$" + name + args[spec.Inner]
		for _, body := range []string{"if (" + text + " == NULL) drop;", `xlog("` + text + `\n");`} {
			cfg, err := compile("test.cfg", []byte(filterHead+"route[which] { "+body+" }\n"))
			if err != nil {
				continue // a variable that wants another argument
			}
			cfg.Program.SetLogger(slog.New(slog.DiscardHandler))
			cfg.Program.Filter("which", &reactor.Source{Proto: reactor.TLS})
		}
	}
}

// TestAloneRunsEverything runs all that may stand in a route without a message,
// so that none of it misses one.
func TestAloneRunsEverything(t *testing.T) {
	args := map[ArgKind]string{TextArg: `"x"`, IntArg: "1", RegexArg: `"x"`, FixedArg: `"x"`, FlagArg: "F", BranchFlagArg: "F", AVPArg: "$avp(x)", SetArg: "$var(x)"}
	words := everyWord()
	for _, name := range words.words.functionNames() {
		f := words.function(name)
		if f.Routes&messageless == 0 || strings.HasPrefix(name, "cache_") { // which want a module's cache; see TestLaunch
			continue
		}
		var list []string
		for _, kind := range f.Args[:f.Min] {
			list = append(list, args[kind])
		}
		cfg, err := compile("cfg", []byte(withStatistics+"dst_blacklist=x\nroute { exit; }\nstartup_route { "+name+"("+strings.Join(list, ", ")+"); }"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		cfg.Program.SetLogger(slog.New(slog.DiscardHandler))
		cfg.Program.Startup()
	}
}

// A runtime error is logged; the error_route, which acts on a message, is not
// run without one.
func TestAloneFails(t *testing.T) {
	cfg, log := recorded(t, `
startup_route { $var(x) = 1 / $var(none); $avp(a) = "x"; xlog("on $avp(a)"); }
error_route { forward(); xlog("error"); }`)
	cfg.Program.Startup()
	if len(*log) != 2 || !strings.Contains((*log)[0], "at=cfg:7") || (*log)[1] != "on x" {
		t.Error(*log)
	}
}

func TestAloneAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools")
	}
	cfg, _ := recorded(t, `event_route[E_CORE_TCP_DISCONNECT] { $var(x) = $param(src_ip) + ":" + $param(src_port); if ($var(x) =~ "^10\.") drop; }`)
	params := []Param{TextParam("src_ip", "192.0.2.1"), NumberParam("src_port", 5060)}
	if n := testing.AllocsPerRun(100, func() { cfg.Program.Event(EventDisconnect, params...) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a route without a message asks of one is NULL, all of it.
func TestAloneIsNull(t *testing.T) {
	args := map[InnerKind]string{ConstInner: "(x)", AnyInner: "(x)"}
	given := map[string]bool{ // of the script, the program or the clock
		"$": true, "Tf": true, "Ts": true, "Tsm": true, "time": true, "cfg_file": true, "cfg_line": true, "log_level": true,
		"xlog_level": true, "mi": true, "pp": true, "rc": true, "retcode": true, "hdrcnt": true,
		"TS": true, "C": true, "route": true, "route.type": true, "route.name": true,
	}
	words := everyWord()
	for _, name := range words.variableNames() {
		spec := words.variableNamed(name)
		cfg, err := compile("cfg", []byte(allModules+"route { exit; }\nstartup_route { if ($"+name+args[spec.Inner]+" != NULL) xlog(\"is\"); }"))
		if err != nil {
			continue // a variable that wants another argument
		}
		log := new([]string)
		cfg.Program.SetLogger(slog.New(lines{log, slog.LevelDebug}))
		cfg.Program.Startup()
		if (len(*log) > 0) != given[name] {
			t.Errorf("$%s: %v", name, *log)
		}
	}
}

// Any goroutines may run routes without a message at the same time.
func TestAloneFromManyGoroutines(t *testing.T) {
	cfg, err := compile("test.cfg", []byte(filterHead+`
route[which] { if ($fu != NULL || $ct != NULL || $(hdr(Via)[0]) != NULL || $sp == 1) drop; }`))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for port := range uint16(8) {
		all.Go(func() {
			src := &reactor.Source{Remote: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)}
			for range 200 {
				if got := cfg.Program.Filter("which", src); got != (port != 1) {
					t.Errorf("port %d: %v", port, got)
					return
				}
			}
		})
	}
	all.Wait()
}
