package ratelimit

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// TestScript limits by the examples of the documentation.
func TestScript(t *testing.T) {
	head := moduletest.Head("ratelimit") + "modparam(\"ratelimit\", \"timer_interval\", 3600)\nmodparam(\"ratelimit\", \"limit_per_interval\", 1)\n"
	b := moduletest.New(t, head+`route {
	if (!rl_check($rU, 2, "TAILDROP")) { xlog("limited $rl_count(+4930123)"); rl_dec_count($rU); exit; }
	$var(limit) = 10; rl_check("gw_$rd", $var(limit)); rl_values($avp(v), "^gw"); xlog("passes $(avp(v)[*]) $rl_count(none)"); }`, New)
	for range 3 {
		b.Receive(moduletest.Invite)
	}
	if got := strings.Join(b.Log, "|"); got != "limited 3" {
		t.Error(got)
	}
	if got := b.Command(t, "ratelimit:list", map[string]string{"filter": "gw_*"}); got != `{"Pipes":[{"id":"gw_example.net","algorithm":"TAILDROP","limit":10,"counter":2,"last_counter":0,"load":0}]}` {
		t.Error(got)
	}
	if got := b.Command(t, "rl_reset_pipe", []string{"+4930123"}); got != `"OK"` {
		t.Error(got)
	}
	if b.Receive(moduletest.Invite); strings.Join(b.Log, "|") != "passes gw_example.net <null>" {
		t.Error(b.Log)
	}
	if b.Command(t, "rl_set_pid", []string{"0.5", "0.25", "0.125"}) != `"OK"` || b.Command(t, "rl_get_pid", nil) != `{"PID":{"ki":0.5,"kp":0.25,"kd":0.125}}` {
		t.Error("PID")
	}
	if got := b.Command(t, "rl_dump_pipe", []string{"none"}); got != "Pipe Not Found" {
		t.Error(got)
	}
}

// TestAlgorithm takes an algorithm from a variable.
func TestAlgorithm(t *testing.T) {
	got := moduletest.Logs(t, moduletest.Head("ratelimit"), `$var(a) = "TAILDROP";
	$var(rc) = rl_check("p", 1, $var(a)); $var(two) = rl_check("p", 1, $var(a)); xlog("$var(rc) $var(two)");
	$var(a) = "LEAKY"; $var(rc) = rl_check("p", 1, $var(a)); xlog("$var(rc)");`, New)
	if all := strings.Join(got, "|"); !strings.HasPrefix(all, "1 1|script: rl_check(): the algorithm is TAILDROP") || !strings.HasSuffix(all, "|-1") {
		t.Error(all)
	}
}

// TestErrors are told at load.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`route { rl_check("p", 1, "LEAKY"); }`:                                                                         "the algorithm is TAILDROP, RED, SBT, NETWORK or FEEDBACK",
		`route { rl_check("p/b", 1); }`:                                                                                "the pipe p/b is not replicated",
		"modparam(\"ratelimit\", \"default_algorithm\", \"x\")\nroute { exit; }":                                       "default_algorithm is TAILDROP",
		"modparam(\"ratelimit\", \"cachedb_url\", \"redis://x\")\nroute { exit; }":                                     "cachedb_url of the module ratelimit is not supported",
		"modparam(\"ratelimit\", \"window_size\", 1)\nmodparam(\"ratelimit\", \"slot_period\", 2000)\nroute { exit; }": "slot_period is longer than window_size",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("ratelimit")+text, New); !strings.Contains(got, want) {
			t.Errorf("%s\n%s", text, got)
		}
	}
}
