package pike

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// TestScript blocks who sends too much.
func TestScript(t *testing.T) {
	head := moduletest.Head("pike") + "modparam(\"pike\", \"sampling_time_unit\", 3600)\nmodparam(\"pike\", \"reqs_density_per_unit\", 3)\nmodparam(\"pike\", \"remove_latency\", 130)\n"
	b := moduletest.New(t, head+`route { if (!pike_check_req()) { xlog("blocked $rc"); exit; } xlog("passes"); } event_route[E_PIKE_BLOCKED] { xlog("$param(ip)"); }`, New)
	var all []string
	for range 5 {
		b.Receive(moduletest.Invite)
		all = append(all, b.Log[len(b.Log)-1])
	}
	if got := strings.Join(all, "|"); got != "passes|passes|passes|blocked -2|blocked -1" {
		t.Error(got)
	}
	if got := b.Command(t, "pike:list", nil); !strings.Contains(got, `{"IP":"10.0.0.9","hits":5,"hits_before":0,"blocked":true}`) {
		t.Error(got)
	}
	if got := b.Command(t, "pike_rm", []string{"10.0.0.9"}); got != `"OK"` {
		t.Error(got)
	}
	if got := b.Command(t, "pike_rm", []string{"10.0.0.9"}); !strings.Contains(got, "not found") {
		t.Error(got)
	}
}

// TestCheckRoute counts all messages but those that the route excepts.
func TestCheckRoute(t *testing.T) {
	head := moduletest.Head("pike") + "modparam(\"pike\", \"sampling_time_unit\", 3600)\nmodparam(\"pike\", \"reqs_density_per_unit\", 2)\nmodparam(\"pike\", \"check_route\", \"pike\")\n"
	for route, want := range map[string]int{`route[pike] { if ($si == "10.0.0.9") drop; }`: 4, `route[pike] { if ($si == "10.0.0.8") drop; }`: 2} {
		b := moduletest.New(t, head+`route { xlog("routed"); } `+route, New)
		n := 0
		for range 4 {
			b.Receive(moduletest.Invite)
			for _, line := range b.Log {
				if line == "routed" {
					n++
				}
			}
		}
		if n != want {
			t.Errorf("%s: %d of 4 routed, want %d", route, n, want)
		}
	}
	if got := moduletest.Wrong(t, head+"route { exit; }", New); !strings.Contains(got, "there is no route[pike]") {
		t.Error(got)
	}
}
