package event_route_test

import (
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor/modules/event_route"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/pike"
	"sipreactor/reactor/script"
)

func TestFetch(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("pike", "event_route")+`
route { exit; }
event_route[E_PIKE_BLOCKED] {
	fetch_event_params("$avp(first)");
	fetch_event_params("ip=$avp(pike-ip); $var(no)");
	xlog("$avp(first) $avp(pike-ip) $var(no)");
}
`, pike.New, event_route.New)
	b.Config.Program.Event("E_PIKE_BLOCKED", script.TextParam("ip", "192.0.2.1"))
	if want := []string{"192.0.2.1 192.0.2.1 <null>"}; !slices.Equal(b.Log, want) {
		t.Errorf("%q, want %q", b.Log, want)
	}
}

func TestFetchWrong(t *testing.T) {
	head := moduletest.Head("pike", "event_route")
	for text, want := range map[string]string{
		`route { fetch_event_params("$avp(a)"); }`:                               "cannot be used in route",
		`event_route[E_PIKE_BLOCKED] { fetch_event_params("source=$avp(a)"); }`:  "has no parameter source",
		`event_route[E_PIKE_BLOCKED] { fetch_event_params("ip=nothing"); }`:      "expected a variable",
		`event_route[E_PIKE_BLOCKED] { fetch_event_params("ip=$ci"); }`:          "cannot be assigned to",
		`event_route[E_PIKE_BLOCKED] { fetch_event_params(" ; "); }`:             "names no variable",
		`event_route[E_PIKE_BLOCKED] { fetch_event_params("$avp(a) $avp(b)"); }`: "does not belong to the variable",
	} {
		if !strings.HasPrefix(text, "route") {
			text += "\nroute { exit; }"
		}
		if got := moduletest.Wrong(t, head+text, pike.New, event_route.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
