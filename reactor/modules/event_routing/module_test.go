package event_routing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/event_routing"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, event_routing.New) }

// start runs a configuration whose events are heard.
func start(t *testing.T, text string) (*moduletest.Bench, *script.Background) {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("tm", "sl", "sipmsgops", "event_routing")+text, tm.New, sl.New, event_routing.New)
	events := script.NewBackground(b.Config.Program)
	b.Config.Stop(nil)
	if err := b.Config.Start(script.Surroundings{Proxy: b.Proxy, Events: events}, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	return b, events
}

// lines waits until so many lines were logged since the last message.
func lines(t *testing.T, b *moduletest.Bench, n int) []string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if got := b.Lines(); len(got) >= n || time.Now().After(deadline) {
			return got
		}
	}
}

// A route runs for each event that passes the filters, with the event's parameters as AVPs
// and nothing of the message.
func TestNotify(t *testing.T) {
	b, events := start(t, `
route {
	$avp(own) = "kept"; $var(v) = "mine";
	$avp(filter) = "aor=bob@*"; $avp(filter) = "n=[1-3]";
	if (notify_on_event("E_OWN", $avp(filter), "told", 60)) xlog("subscribed");
}
route[told] { xlog("$avp(aor) $avp(n) $avp(own) $var(v)"); }
`)
	b.Receive(moduletest.Invite)
	if got := b.Lines(); len(got) != 1 || got[0] != "subscribed" {
		t.Fatal(got)
	}
	for _, aor := range []string{"alice@x", "bob@x/y", "bob"} {
		for n := range 5 {
			events.Raise("E_OWN", script.TextParam("aor", aor), script.NumberParam("n", int64(n)))
		}
	}
	events.Raise("E_OTHER", script.TextParam("aor", "bob@x"), script.NumberParam("n", 1))
	events.Raise("E_OWN", script.TextParam("aor", "bob@end"), script.NumberParam("n", 1))
	want := "subscribed|bob@x/y 1 <null> <null>|bob@x/y 2 <null> <null>|bob@x/y 3 <null> <null>|bob@end 1 <null> <null>"
	if got := strings.Join(lines(t, b, 5), "|"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// A script waits for an event, and its end is told when none comes.
func TestWait(t *testing.T) {
	b, events := start(t, `
route {
	if (is_method("INVITE")) {
		$avp(filter) = "aor=" + $rU;
		xlog("waits");
		wait_for_event("E_OWN", $avp(filter), 60);
		xlog("$rc $avp(aor) $avp(n)");
	} else {
		wait_for_event("E_OWN", $avp(none), 1);
		xlog("$rc $avp(aor)");
	}
}
`)
	done := make(chan struct{})
	go func() { defer close(done); b.Receive(moduletest.Invite) }()
	lines(t, b, 1)
	for {
		events.Raise("E_OWN", script.TextParam("aor", "another"))
		events.Raise("E_OWN", script.TextParam("aor", "+4930123"), script.NumberParam("n", 7))
		select {
		case <-done:
		case <-time.After(time.Millisecond):
			continue
		}
		break
	}
	if got := strings.Join(b.Lines(), "|"); got != "waits|1 +4930123 7" {
		t.Error(got)
	}
	if events.Heard("E_OWN") {
		t.Error("who no longer waits is still told")
	}
	b.Receive([]byte(strings.ReplaceAll(string(moduletest.Invite), "INVITE", "OPTIONS")))
	if got := strings.Join(b.Lines(), "|"); got != "-2 <null>" {
		t.Error(got)
	}
}

// What can be known at load is an error there, the rest one of the call.
func TestMistakes(t *testing.T) {
	head := moduletest.Head("tm", "sl", "sipmsgops", "event_routing")
	for call, want := range map[string]string{
		`notify_on_event("E_X", $avp(f), "nowhere", 5)`: "there is no route[nowhere]",
		`notify_on_event("E_X", $var(f), "r", 5)`:       "expected an AVP",
		`wait_for_event("E_X")`:                         "takes 3 arguments",
	} {
		got := moduletest.Wrong(t, head+"route[r] { exit; }\nroute { "+call+"; }\n", tm.New, sl.New, event_routing.New)
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s", call, got)
		}
	}
	for statements, want := range map[string]string{
		`$avp(f) = "no filter"; notify_on_event("E_X", $avp(f), "r", 5);`: "a filter is key=pattern",
		`$avp(f) = "a=["; notify_on_event("E_X", $avp(f), "r", 5);`:       "a filter is key=pattern",
		`notify_on_event("E_X", $avp(f), "r", 0);`:                        "from 1 to 86400",
		`notify_on_event("E X", $avp(f), "r", 5);`:                        "name of an event",
	} {
		b, _ := start(t, "route[r] { exit; }\nroute { "+statements+" }\n")
		b.Receive(moduletest.Invite)
		if got := fmt.Sprint(b.Lines()); !strings.Contains(got, want) {
			t.Errorf("%s: %s", statements, got)
		}
	}
}
