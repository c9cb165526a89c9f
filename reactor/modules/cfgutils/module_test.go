package cfgutils_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/cfgutils"
	"sipreactor/reactor/modules/moduletest"
)

var head = moduletest.Head("cfgutils")

// The documentation's examples.
func TestExamples(t *testing.T) {
	for _, c := range []struct{ text, log string }{
		{`if (rand_event(100)) xlog("always"); if (!rand_event(0)) xlog("never");`, "always|never"},
		{`rand_set_prob(100); rand_get_prob(); xlog("$rc"); if (rand_event()) xlog("yes"); rand_reset_prob(); rand_get_prob(); xlog("$rc");`, "100|yes|10"},
		{`$avp(x) = "a"; $avp(x) = "b"; set_count($avp(x), $var(n)); xlog("$var(n)"); shuffle_avps($avp(x)); set_count($avp(x), $var(n)); xlog("$var(n)");`, "2|2"},
		{`ts_usec_delta(10, 300, 8, 500, $var(s), $var(n)); xlog("$var(s) $var(n)");`, "1999800 1999800"},
		{`if (check_time_rec("20120101T000000|20121231T235959")) xlog("now"); if (check_time_rec("20120101T000000|20121231T235959", 1340000000)) xlog("then");`, "then"},
		{`$var(r) = "20120101T000000|20121231T235959"; if (!check_time_rec($var(r))) xlog("no");`, "no"},
		{`xlog("$shv(debug) $shv(gw) $shv(none)"); $shv(none) = "text"; $shv(debug) = $shv(debug) + 1; xlog("$shv(debug) $shv(none)");`, "1 sip:10.10.10.10 0|2 text"},
		{`get_static_lock("Zone_1"); release_static_lock("Zone_1"); get_static_lock("Zone_1"); xlog("$rc"); release_static_lock("Zone_1");`, "1"},
		{`if (get_dynamic_lock($ci)) xlog("mine"); release_dynamic_lock($ci); if (strings_share_lock($ci, $ci)) xlog("same");`, "mine|same"},
		{`if ($ctime(year) > 2000 && $ctime(wday) > 0) xlog("year"); if ($RANDOM >= 0) xlog("random");`, "year|random"},
		{`usleep(1000); sleep(0); get_accurate_time($var(s), $var(u)); if ($var(s) > 1000000) xlog("time");`, "time"},
	} {
		b := moduletest.New(t, head+`
modparam("cfgutils", "initial_probability", 10)
modparam("cfgutils", "shvset", "debug=i:1")
modparam("cfgutils", "shvset", "gw=s:sip:10.10.10.10")
modparam("cfgutils", "lock_pool_size", 64)
route { `+c.text+` }
`, cfgutils.New)
		b.Receive(moduletest.Invite)
		if got := strings.Join(b.Log, "|"); got != c.log {
			t.Errorf("%s: %q, want %q", c.text, got, c.log)
		}
	}
}

func TestSleep(t *testing.T) {
	b := moduletest.New(t, head+`route { usleep(50000); }`, cfgutils.New)
	start := time.Now()
	b.Receive(moduletest.Invite)
	if d := time.Since(start); d < 50*time.Millisecond {
		t.Error(d)
	}
}

func TestCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := moduletest.New(t, head+`
modparam("cfgutils", "hash_file", "`+file+`")
route { xlog("$shv(debug)"); }
`, cfgutils.New)
	for _, c := range [][2]string{
		{`rand_set_prob {"prob_proc":"50"}`, `"OK"`},
		{`rand_get_prob`, `{"Probability":50}`},
		{`rand_reset_prob`, `"OK"`},
		{`check_config_hash`, `"The actual config file hash is identical to the stored one."`},
		{`get_config_hash`, `{"Hash":"9dd4e461268c8034f5c8564e155c67a6"}`},
		{`shv_set {"name":"debug","type":"int","value":"7"}`, `"OK"`},
		{`shv_get {"name":"debug"}`, `{"name":"debug","type":"integer","value":7}`},
		{`shv_get`, `{"VARS":[{"name":"debug","type":"integer","value":7}]}`},
	} {
		name, params, _ := strings.Cut(c[0], " ")
		var p any
		if params != "" {
			p = json.RawMessage(params)
		}
		if got := b.Command(t, name, p); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
	b.Receive(moduletest.Invite)
	if got := strings.Join(b.Log, "|"); got != "7" {
		t.Error(got)
	}
}

func TestErrors(t *testing.T) {
	got := moduletest.Wrong(t, head+`
modparam("cfgutils", "shvset", "debug=1")
modparam("cfgutils", "varset", "debug=i:1")
route { abort(); set_select_weight($avp(x)); check_time_rec("x|y"); xlog("$ctime(century)"); }
`, cfgutils.New)
	for _, want := range []string{"name=i:number", "shvset and $shv(name)", "does not end the program", "0 would end the script", "neither a date nor a time zone", "not century"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, cfgutils.New) }
