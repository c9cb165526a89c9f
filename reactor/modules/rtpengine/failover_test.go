package rtpengine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/internal/relay/cookie"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/script"
)

// TestSets checks the two ways to choose a set.
func TestSets(t *testing.T) {
	zero, one, two := newEngine(t), newEngine(t), newEngine(t)
	conf := head("", fmt.Sprintf(`"rtpengine_sock", "%s"`, zero.url), fmt.Sprintf(`"rtpengine_sock", "1 == %s"`, one.url), fmt.Sprintf(`"rtpengine_sock", "2==%s=3"`, two.url), `"setid_avp", "$avp(set)"`)
	for text, want := range map[string]string{
		`rtpengine_offer("", $var(s)); xlog("$var(s)");`:                                      zero.url,
		`rtpengine_use_set(2); rtpengine_offer("", $var(s)); xlog("$var(s)");`:                two.url,
		`$avp(set) = 1; rtpengine_offer("", $var(s)); xlog("$var(s)");`:                       one.url,
		`$avp(set) = 1; rtpengine_use_set(2); rtpengine_offer("", $var(s)); xlog("$var(s)");`: two.url,
		`$avp(set) = 3; rtpengine_offer("", $var(s)); xlog("$rc");`:                           "-1",
	} {
		log := moduletest.Logs(t, conf, text, New, sl.New)
		if got := log[len(log)-1]; got != want {
			t.Errorf("%s: %q, want %s", text, log, want)
		}
	}
}

// TestFailover has offers go to another node, and the call stay there.
func TestFailover(t *testing.T) {
	a, b := newEngine(t), newEngine(t)
	bench := moduletest.New(t, head(a.url+" "+b.url, `"extra_failover_error", "no luck"`, `"rtpengine_timer_interval", 1`, `"rtpengine_disable_tout", 1`)+
		`route { rtpengine_offer("", $var(s)); xlog("$rc $var(s)"); $var(t) = null; rtpengine_delete("", $var(t)); xlog("$rc $var(t)"); }`, New, sl.New)
	run := func() string {
		bench.Receive(moduletest.Invite)
		return strings.Join(bench.Lines(), "|")
	}
	first, other := a, b
	if got := run(); strings.Contains(got, b.url) {
		first, other = b, a
	} else if !strings.Contains(got, a.url) {
		t.Fatal(got)
	}
	both := func(e *engine) string { return "1 " + e.url + "|1 " + e.url }
	for _, reason := range []string{"Ran out of ports", "Parallel session limit reached", "so: NO LUCK"} {
		first.set(func(d ng.Dict) ng.Dict {
			if d.Text("command") == "offer" {
				return refuse(reason)(d)
			}
			return upper(d)
		})
		if got := run(); got != both(other) {
			t.Errorf("%s: %s", reason, got)
		}
	}
	first.set(refuse("Other"))
	if got := run(); !strings.Contains(got, "Other") {
		t.Error(got)
	}
	first.set(func(ng.Dict) ng.Dict { return nil })
	got := run()
	if !strings.HasSuffix(got, both(other)) || !strings.Contains(got, "a media relay is inactive") {
		t.Error(got)
	}
	if got := bench.Command(t, "rtpengine_show", nil); strings.Count(got, `"disabled":1`) != 1 {
		t.Error(got)
	}
	first.set(upper)
	for end := time.Now().Add(20 * time.Second); run() != both(first); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the node does not come back: " + bench.Command(t, "rtpengine_show", nil))
		}
	}
	other.set(upper)
	if got := bench.Command(t, "rtpengine_enable", map[string]any{"url": first.url, "enable": 0}); got != `"OK"` {
		t.Error(got)
	}
	if got := run(); !strings.HasSuffix(got, both(other)) {
		t.Error(got)
	}
	if got := bench.Command(t, "rtpengine_show", nil); !strings.HasPrefix(got, `[{"Set":0,"Nodes":[{"url":"`+a.url+`","index":0,"disabled":`) || !strings.Contains(got, `"disabled":1,"weight":1,"recheck_ticks":-1`) {
		t.Error(got)
	}
	for params, want := range map[string]string{"1": `"OK"`, "3": "Invalid params"} {
		if got := bench.Command(t, "rtpengine:enable", map[string]any{"url": first.url, "enable": params[0] - '0', "setid": 0}); !strings.HasPrefix(got, want) {
			t.Error(got)
		}
	}
	if got := bench.Command(t, "rtpengine_enable", map[string]any{"url": first.url, "enable": 1, "setid": 5}); got != "No such node" {
		t.Error(got)
	}
}

// TestReload checks that nodes keep their state, and their sockets, over a reload of the
// script, and that what was counted goes on.
func TestReload(t *testing.T) {
	e, gone := newEngine(t), newEngine(t)
	first := moduletest.New(t, head(e.url+" "+gone.url)+"route { exit; }", New, sl.New)
	first.Command(t, "rtpengine_enable", map[string]any{"url": e.url, "enable": 0})
	first.Config.Instance("rtpengine").(*module).asked.Add(7)
	l := script.Loader{Modules: []script.Constructor{proto_tls.New, sl.New, New}}
	next, err := l.Compile("next.cfg", []byte(head(e.url)+"route { exit; }"))
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{})
	close(running)
	if err := next.Start(script.Surroundings{Proxy: first.Proxy, Running: running}, first.Config); err != nil {
		t.Fatal(err)
	}
	defer next.Stop(nil)
	m, was := next.Instance("rtpengine").(*module), first.Config.Instance("rtpengine").(*module)
	if m.fleet.Down() != 1 {
		t.Error("the node is enabled")
	}
	if n := m.asked.Load(); n != 7 {
		t.Errorf("%d requests are counted behind the reload", n)
	}
	was.stop(m)
	ping := ng.Dict{{Key: "command", Value: "ping"}}
	if _, err := m.fleet.Of(0)[0].Client.Do(t.Context(), ping); err != nil {
		t.Error(err)
	}
	if _, err := was.fleet.Of(0)[1].Client.Do(t.Context(), ping); !errors.Is(err, cookie.ErrClosed) {
		t.Error(err)
	}
}
