package benchmark

import (
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

const route = `route {
	bm_start_timer("one");
	xlog("$BM_time_diff");
	$var(i) = 0; while ($var(i) < 50) $var(i) = $var(i) + 1;
	bm_log_timer("one");
	xlog("$rc");
	if ($BM_time_diff > 0) xlog("more");
	bm_log_timer("two");
	xlog("$rc");
}
`

// Timers measure as the mode and management say, and are logged each so many times.
func TestTimers(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("benchmark")+"modparam(\"benchmark\", \"granularity\", 2)\n"+route, New)
	run := func() string {
		t.Helper()
		b.Receive(moduletest.Invite)
		return strings.Join(b.Log, "|")
	}
	if got := run(); got != "0|1|1" {
		t.Error("off:", got)
	}
	command := func(name string, params any, want string) {
		t.Helper()
		if got := b.Command(t, name, params); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
	command("bm_enable_timer", map[string]any{"timer": "three", "enable": 1}, "no such timer")
	command("bm_enable_timer", map[string]any{"timer": "one", "enable": 1}, `^"OK"$`)
	if got := strings.ReplaceAll(run(), "|more", ""); got != "0|1|1" {
		t.Error("one:", got)
	}
	got := run()
	if !regexp.MustCompile(`benchmark: timer one: msgs/sum/min/max/avg: last 2/\d+/\d+/\d+/\d+\.\d{6}, global 2/`).MatchString(got) {
		t.Error("two measurements:", got)
	}
	command("bm_poll_results", nil, "granularity is not 0")
	command("bm_enable_global", map[string]any{"enable": 2}, "from -1 to 1")
	command("bm_enable_global", map[string]any{"enable": 1}, `^"OK"$`)
	command("bm_granularity", map[string]any{"granularity": 0}, `^"OK"$`)
	command("bm_loglevel", map[string]any{"log_level": 4}, `^"OK"$`)
	if got := strings.ReplaceAll(run(), "|more", ""); got != "0|1|-1" {
		t.Error("none has begun:", got)
	}
	command("bm_poll_results", nil, `^\{"Timers":\[\{"name":"one","local":"1/\d+/\d+/\d+/[\d.]+","global":"3/.*\},\{"name":"two","local":"0/0/0/0/0.000000","global":"0/`)
	command("bm_poll_results", nil, `"name":"one","local":"0/0/0/0/0.000000","global":"3/`)
	command("bm_enable_global", map[string]any{"enable": -1}, `^"OK"$`)
	if got := run(); got != "0|1|1" {
		t.Error("none:", got)
	}
}

func TestTally(t *testing.T) {
	var v tally
	for _, n := range []int64{14, 12, 14} {
		v.add(n)
	}
	if got := v.String(); got != "3/40/12/14/13.333333" {
		t.Error(got)
	}
}

// What was measured goes on in another configuration.
func TestGoOn(t *testing.T) {
	one, two := &module{timers: []*timer{{name: "a"}, {name: "b"}}}, &module{timers: []*timer{{name: "b"}, {name: "c"}}}
	one.timers[1].measured(5, 0)
	two.goOn(one)
	if two.timers[0].global.calls != 1 || two.timers[1].global.calls != 0 {
		t.Error(two.timers[0].global, two.timers[1].global)
	}
	if got := moduletest.Wrong(t, moduletest.Head("benchmark")+`route { bm_start_timer(""); }`+"\n", New); !strings.Contains(got, "name of a timer is missing") {
		t.Error(got)
	}
}
