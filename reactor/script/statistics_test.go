package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

const withStatistics = allModules + "loadmodule \"statistics.so\"\n"

// engineFigures are statistics that are not the script's.
type engineFigures struct {
	sync.Mutex
	n map[string]uint64
}

func (e *engineFigures) Statistic(name string) (uint64, bool) {
	e.Lock()
	defer e.Unlock()
	n, ok := e.n[name]
	return n, ok
}

func (e *engineFigures) ResetStatistic(name string) bool {
	e.Lock()
	defer e.Unlock()
	_, ok := e.n[name]
	if ok {
		e.n[name] = 0
	}
	return ok
}

func (e *engineFigures) StatisticsOf(group string, f func(string, uint64)) {
	e.Lock()
	defer e.Unlock()
	for _, name := range slices.Sorted(maps.Keys(e.n)) {
		if of, rest, _ := strings.Cut(name, ":"); of == group {
			f(rest, e.n[name])
		}
	}
}

// counted gives the statistics of a script by name.
func statisticsOf(p *Program) map[string]uint64 {
	all := make(map[string]uint64)
	p.Statistics(func(group, name string, n uint64, _ func()) { all[group+":"+name] = n })
	return all
}

func TestStatistics(t *testing.T) {
	b := newBench(t, withStatistics+`
modparam("statistics", "variable", "calls")
modparam("statistics", "variable", "active/no_reset")
modparam("statistics", "variable", "method:OPTIONS")
modparam("statistics", "stat_groups", "method, packets")
route {
	xlog("before $stat(calls) $stat(dynamic:calls) $stat(made) $stat(method:$rm) $stat(net:accepted) $stat(nothing)");
	update_stat("calls", "+1");
	update_stat("calls", 2);
	update_stat("active", -1);
	update_stat("made", 5);
	$var(m) = "method:" + $rm;
	update_stat($var(m), 1);
	update_stat("packets:$rm", "$ml");
	$var(n) = $stat(calls) + $stat($var(m));
	xlog("sum $var(n), calls $stat(dynamic:calls)");
	$stat(made) = 0;
	$stat(net:accepted) = NULL;
	reset_stat("method:INVITE");
	xlog("after $stat(made) $stat(net:accepted) $stat($var(m))");
}`)
	others := &engineFigures{n: map[string]uint64{"net:accepted": 7}}
	b.cfg.Program.SetStatistics(others)
	b.receive(invite)
	want := []string{"before 0 0 0 <null> 7 <null>", "sum 4, calls 3", "after 0 0 0"}
	if len(b.log) != len(want) {
		t.Fatalf("%q", b.log)
	}
	for i, line := range want {
		if b.log[i] != line {
			t.Errorf("%q, want %q", b.log[i], line)
		}
	}
	b.receive(invite)
	if b.log[0] != "before 3 3 0 0 0 <null>" {
		t.Errorf("the second message: %q", b.log[0])
	}
	got := statisticsOf(b.cfg.Program)
	wantAll := map[string]uint64{"dynamic:calls": 6, "dynamic:active": 0, "dynamic:made": 0, "method:OPTIONS": 0, "method:INVITE": 0,
		"packets:INVITE": 2 * uint64(len(invite))}
	if fmt.Sprint(got) != fmt.Sprint(wantAll) {
		t.Errorf("%v\nwant %v", got, wantAll)
	}
	b.cfg.Program.Statistics(func(_, name string, _ uint64, reset func()) {
		if (reset == nil) != (name == "active") {
			t.Errorf("%s can be reset: %v", name, reset != nil)
		}
		if reset != nil {
			reset()
		}
	})
	if got := statisticsOf(b.cfg.Program)["dynamic:calls"]; got != 0 {
		t.Errorf("%d after a reset", got)
	}
}

// Routes without a message count, too.
func TestStatisticsAlone(t *testing.T) {
	cfg, err := compile("cfg", []byte(withStatistics+`route { exit; }
startup_route { update_stat("starts", 3); if ($stat(starts) == 3) update_stat("seen", 1); $stat(starts) = 0; }`))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Program.Startup()
	if got := statisticsOf(cfg.Program); got["dynamic:starts"] != 0 || got["dynamic:seen"] != 1 {
		t.Errorf("%v", got)
	}
}

// TestStatisticsIteration: iterators go through groups of the script and of the program, side by side, and
// what is counted meanwhile changes nothing.
func TestStatisticsIteration(t *testing.T) {
	b := newBench(t, withStatistics+`
modparam("statistics", "stat_groups", "method")
route {
	update_stat("method:INVITE", 3);
	update_stat("method:BYE", 1);
	stat_iter_init("method", "mine");
	stat_iter_init("net", "its");
	update_stat("method:INVITE", 1);
	while (stat_iter_next($var(name), $var(value), "mine")) {
		stat_iter_next($var(other), $var(n), "its");
		xlog("$var(name) $var(value), $var(other) $var(n)");
		reset_stat("method:$var(name)");
	}
	stat_iter_init("nothing", "mine");
	if (!stat_iter_next($var(name), $var(value), "mine"))
		xlog("the end, $stat(method:INVITE)");
	stat_iter_next($var(name), $var(value), "never begun");
}`)
	b.cfg.Program.SetStatistics(&engineFigures{n: map[string]uint64{"net:accepted": 7, "net:closed": 5, "tls:x": 1}})
	b.receive(invite)
	want := []string{"BYE 1, accepted 7", "INVITE 3, closed 5", "the end, 0", "stat_iter_next(): stat_iter_init() has begun no iterator of that name"}
	if len(b.log) != len(want) {
		t.Fatalf("%q", b.log)
	}
	for i, line := range want {
		if !strings.Contains(b.log[i], line) {
			t.Errorf("got %q, want %q", b.log[i], line)
		}
	}
}

// What fails when a script runs is told, and goes to the error route.
func TestStatisticsFail(t *testing.T) {
	for statement, want := range map[string]string{
		`update_stat("method:$rm", 1);`:                           "update_stat(): the group is not in stat_groups",
		`update_stat("$rd$rd$rd$rd$rd$rd$rd$rd$rd$rd$rd$rd", 1);`: "update_stat(): a statistic needs a name of 1 to 128 bytes",
		`update_stat($hdr(None), 1);`:                             "update_stat(): the name of the statistic is null",
		`update_stat("x", $ci);`:                                  "update_stat(): the number to count by is none",
		`reset_stat("nothing");`:                                  "reset_stat(): there is no statistic of that name",
		`reset_stat("kept");`:                                     "reset_stat(): the statistic is not to be reset",
		`$stat(kept) = 1;`:                                        "assignment to $stat(kept): a statistic can be set to 0 only",
	} {
		b := newBench(t, withStatistics+`modparam("statistics", "variable", "kept/no_reset")
route { `+statement+` xlog("went on"); }
error_route { xlog("caught"); }`)
		b.receive(invite)
		if len(b.log) < 2 || !strings.Contains(b.log[0], want) || b.log[1] != "caught" {
			t.Errorf("%s: %q", statement, b.log)
		}
	}
}

func TestStatisticsErrors(t *testing.T) {
	for text, want := range map[string]string{
		`modparam("statistics", "variable", "x/often")`: "is name or name/no_reset; often is no flag",
		`modparam("statistics", "variable", "")`:        "a statistic needs a name",
		`modparam("statistics", "variable", "none:x")`:  "the group is not in stat_groups",
		`modparam("statistics", "stat_groups", "a,,b")`: "is a comma list of names",
		`modparam("statistics", "stat_groups", "net")`:  "names net, in which this program counts itself",
		`startup_route { update_stat("none:x", 1); }`:   `cfg:21:29: the statistic "none:x": the group is not in stat_groups`,
		`startup_route { update_stat("x"); }`:           "update_stat() takes 2 arguments, not 1",
		`startup_route { update_stat("x", "many"); }`:   `found "many", expected a number`,
		`startup_route { xlog("$stat"); }`:              "$stat needs a name: $stat(name)",
		`startup_route { $stat(x)[1] = 0; }`:            "$stat has one value and takes no index",
	} {
		_, err := compile("cfg", []byte(withStatistics+text+"\nroute { exit; }"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant %s", text, err, want)
		}
	}
	_, err := compile("cfg", []byte(`route { update_stat("x", 1); xlog("$stat(x)"); }`))
	if err == nil || !strings.Contains(err.Error(), `loadmodule "statistics.so"`) {
		t.Errorf("without the module: %v", err)
	}
}

// Names that come from messages are bounded, and counts of many workers add up.
func TestStatisticsBounds(t *testing.T) {
	s := newStatistics(nil)
	var workers sync.WaitGroup
	for w := range uint32(20) {
		workers.Go(func() {
			for i := range 2 * maxStatistics {
				if st, err := s.make(fmt.Sprint(i), false); err == nil {
					st.add(w, 1)
				} else if err != errManyStatistics {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	all := *s.all.Load()
	if len(all) != 2*maxStatistics || s.count != maxStatistics {
		t.Errorf("%d names of %d statistics", len(all), s.count)
	}
	for name, st := range all {
		if st.value() != 20 {
			t.Fatalf("%s is %d", name, st.value())
		}
	}
}

// Counting allocates nothing, whether the name is constant or not.
func TestStatisticsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	n := newBench(t, withStatistics+`
modparam("statistics", "stat_groups", "method")
route { update_stat("calls", 1); update_stat("method:$rm", 1); if ($stat(calls) < 1) exit; }`)
	r := &repeated{p: n.cfg.Program, n: 1000}
	n.c.Proxy().SetRouter(r)
	n.c.Receive(invite, n.src)
	if got := testing.AllocsPerRun(3, func() { n.c.Receive(invite, n.src) }); got > 1 {
		t.Errorf("%v allocations for 1000 messages", got)
	}
	if got := statisticsOf(n.cfg.Program); got["dynamic:calls"] != got["method:INVITE"] || got["dynamic:calls"] != 5000 {
		t.Errorf("%v", got)
	}
}
