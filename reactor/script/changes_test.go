package script

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"
)

func TestNeedRestart(t *testing.T) {
	const head = "socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\n"
	load := func(text string) *Config {
		t.Helper()
		l := Loader{Modules: append(slices.Clone(testModules), func(*Config) *Module {
			return &Module{Name: "later", Parameters: AtStart([]Parameter{{Name: "initial", Type: IntParam}}), Start: func(*Env) error { return nil }}
		})}
		cfg, err := l.Compile("cfg", []byte(text+"route { exit; }\n"))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	const asStarted = head + "log_level=2\ntcp_connect_timeout=5\nloadmodule \"maxfwd.so\"\nmodparam(\"maxfwd\", \"max_limit\", 20)\n"
	old := load(asStarted)
	if err := old.Start(Surroundings{}, nil); err != nil {
		t.Fatal(err)
	}
	reload := func(text, want string) {
		t.Helper()
		next := load(text)
		if err := next.Start(Surroundings{}, old); err != nil {
			t.Fatal(err)
		}
		old = next
		var got []string
		for _, n := range next.NeedRestart() {
			got = append(got, n.String())
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("got  %s\nwant %s", s, want)
		}
	}
	for _, c := range [][2]string{
		{head + "tcp_connect_timeout=5\n\nlog_level=3\nloadmodule \"maxfwd.so\"\nmodparam(\"maxfwd\", \"max_limit\", 20)\n", ""},
		{head + "tcp_connect_timeout=6\nloadmodule \"maxfwd.so\"\nmodparam(\"maxfwd\", \"max_limit\", 21)\n", "cfg:3:21: tcp_connect_timeout changes at a restart only|cfg:5:33: max_limit of maxfwd changes at a restart only"},
		{head + "tcp_connect_timeout=5\n", "-: max_limit of maxfwd, which is not set any more, changes at a restart only"},
		{"socket=udp:127.0.0.1:5070\n" + head + "tcp_connect_timeout=5\nloadmodule \"maxfwd.so\"\nmodparam(\"maxfwd\", \"max_limit\", 20)\n", "cfg:1:8: sockets change at a restart only"},
		{head + "tcp_connect_timeout=5\nloadmodule \"maxfwd.so\"\nmodparam(\"maxfwd\", \"max_limit\", 20)\nloadmodule \"proto_tcp.so\"\n", "cfg:6:12: the module proto_tcp begins to work at a restart only"},
		{head + "tcp_connect_timeout=5\nloadmodule \"maxfwd.so\"\nmodparam(\"maxfwd\", \"max_limit\", 20)\nloadmodule \"sl.so\"\nloadmodule \"rr.so\"\n", ""},
	} {
		// Whatever was reloaded before, what waits for a restart is told, and told again, and of what works as it
		// stands nothing is.
		reload(c[0], c[1])
		reload(c[0], c[1])
		reload(asStarted, "")
	}
	const bare = "socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\nloadmodule \"proto_tcp.so\"\n"
	old = load(bare)
	if err := old.Start(Surroundings{}, nil); err != nil {
		t.Fatal(err)
	}
	reload(head, "-: the module proto_tcp, which is not loaded any more, works on until a restart")
	// What a module reads as it begins is at work from then on, whenever that is.
	const later = bare + "loadmodule \"later.so\"\n"
	reload(later+"modparam(\"later\", \"initial\", 1)\n", "")
	reload(later+"modparam(\"later\", \"initial\", 2)\n", "cfg:5:30: initial of later changes at a restart only")
	reload(later, "-: initial of later, which is not set any more, changes at a restart only")
	reload(bare, "")
	reload(later+"modparam(\"later\", \"initial\", 2)\n", "")
}

// Statistics of the same name go on, those that messages have made as well; the others
// are gone.
func TestTakeOver(t *testing.T) {
	const head = "socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\nloadmodule \"statistics.so\"\nmodparam(\"statistics\", \"stat_groups\", \"g\")\n"
	load := func(previous *Program, text string) *Program {
		t.Helper()
		l := Loader{Modules: testModules, Previous: previous}
		cfg, err := l.Compile("cfg", []byte(head+text+"route { exit; }\n"))
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Program
	}
	figures := func(p *Program) (all []string) {
		p.Statistics(func(group, name string, n uint64, reset func()) {
			all = append(all, group+":"+name+"="+itoa(int(n)))
		})
		return all
	}
	old := load(nil, `modparam("statistics", "variable", "a")
modparam("statistics", "variable", "g:gone")
modparam("statistics", "variable", "fixed")
startup_route { update_stat("a", 3); update_stat("g:gone", 1); update_stat("made", 2); update_stat("fixed", 5); }
`)
	old.Startup()
	next := load(old, `modparam("statistics", "variable", "a")
modparam("statistics", "variable", "fixed/no_reset")
startup_route { update_stat("a", 1); }
`)
	next.TakeOver(old)
	next.Startup()
	if got := figures(next); !slices.Equal(got, []string{"dynamic:a=4", "dynamic:fixed=0", "dynamic:made=2"}) {
		t.Error(got)
	}
	if next.stats.before != nil {
		t.Error("the replaced program is kept")
	}
}

func TestBackgroundReplace(t *testing.T) {
	b, log := backdrop(t, `startup_route { xlog("up"); } event_route[E_CORE_TCP_DISCONNECT] { xlog("first"); }`)
	b.Start()
	defer b.Close()
	log.wait(t, 1)
	cfg, err := compile("cfg", []byte(plainHead+`startup_route { xlog("up again"); } timer_route[t, 1] { xlog("tick"); } event_route[E_CORE_TCP_DISCONNECT] { xlog("second"); }`))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Program.TakeOver(b.watch.Load().prog)
	b.Replace(cfg.Program)
	b.Raise(EventDisconnect)
	got := log.wait(t, 2)
	slices.Sort(got)
	if !slices.Equal(got, []string{"second", "tick"}) {
		t.Error(got)
	}
	bare, err := compile("cfg", []byte(plainHead+`route[x] { exit; }`))
	if err != nil {
		t.Fatal(err)
	}
	b.Replace(bare.Program)
	if b.Heard(EventDisconnect) {
		t.Error("a route that is gone is heard")
	}
	b.Raise(EventDisconnect)
}

// TestReplacedGoes: a program that was replaced is garbage, whatever functions of the next one keep of their arguments.
func TestReplacedGoes(t *testing.T) {
	keeps := func(*Config) *Module {
		return &Module{Name: "keeps", Functions: []Function{{Name: "keep", Usage: "keep()", Routes: Anywhere,
			Build: func(a *Args) Action { return func(*Machine) int { return len(a.Name()) } }}}}
	}
	var last *Config
	load := func() weak.Pointer[Program] {
		t.Helper()
		l := Loader{Modules: append(slices.Clone(testModules), keeps)}
		if last != nil {
			l.Previous = last.Program
		}
		next, err := l.Compile("cfg", []byte("socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\nloadmodule \"keeps.so\"\nroute { keep(); }\n"))
		if err != nil {
			t.Fatal(err)
		}
		if last != nil {
			next.Program.TakeOver(last.Program)
		}
		last = next
		return weak.Make(next.Program)
	}
	first := load()
	for range 2 {
		load()
	}
	for end := time.Now().Add(30 * time.Second); first.Value() != nil; runtime.GC() {
		if time.Now().After(end) {
			t.Fatal("the first program lives behind two reloads")
		}
	}
	runtime.KeepAlive(last)
}
