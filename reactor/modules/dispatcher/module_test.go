package dispatcher_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/moduletest"
)

const table = `id,setid,destination,socket,state,probe_mode,weight,priority,attrs,description
1,1,sip:10.0.0.1:5061;transport=tls,,0,0,1,0,a=1,first
2,1,sip:10.0.0.2:5061;transport=tls,,0,0,1,0,a=2,
3,1,sip:10.0.0.3:5061;transport=tls,tls:127.0.0.1:5061,0,1,1,0,,
4,2,sip:10.0.1.1,,0,0,1,5,,
5,2,sip:10.0.1.2:5080,,1,0,1,9,,
6,3,sip:10.0.2.1,,2,0,1,0,,
7,4,not a uri,,0,0,1,0,,
8,4,sip:10.0.3.1,,0,0,fs://:x@h,0,,
9,4,sip:10.0.3.2,,0,0,x,0,,
`

// head is a configuration with the table, up to its routes.
func head(t testing.TB, rows string, params ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dispatcher.csv")
	if err := os.WriteFile(path, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	text := moduletest.Head("dispatcher") + fmt.Sprintf("modparam(\"dispatcher\", \"dispatcher_file\", %q)\n", path)
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		text += fmt.Sprintf("modparam(\"dispatcher\", %q, %s)\n", name, value)
	}
	return text
}

// lines are what statements log, without what the module says by itself.
func lines(log []string) string {
	var all []string
	for _, l := range log {
		if !strings.HasPrefix(l, "dispatcher: ") {
			all = append(all, l)
		}
	}
	return strings.Join(all, "; ")
}

func TestSelect(t *testing.T) {
	const avps = ` xlog("$(avp(ds_dst_failover)[*]) $avp(ds_grp_failover) $avp(ds_cnt_failover) $avp(at)");`
	for _, c := range []struct {
		statements string
		want       string
	}{
		{`ds_select_dst(1, 8); xlog("$rc $du");`, "1 sip:10.0.0.1:5061;transport=tls"},
		{`ds_select_dst("1", "4"); xlog("$du"); ds_select_dst(1, 4); xlog("$du");`, "sip:10.0.0.1:5061;transport=tls; sip:10.0.0.2:5061;transport=tls"},
		{`$var(s) = 1; $var(a) = 8; $var(f) = "fu"; ds_select_dst($var(s), $var(a), $var(f), "default", 2);` + avps,
			"sip:10.0.0.1:5061;transport=tls,sip:10.0.0.2:5061;transport=tls 1 2 a=1"},
		{`ds_select_dst(1, 8, "f"); ds_next_dst(); xlog("$rc $du $avp(at)"); ds_next_dst(); xlog("$rc $du $fs"); ds_next_dst(); xlog("$rc");` + avps,
			"1 sip:10.0.0.2:5061;transport=tls a=2; 1 sip:10.0.0.3:5061;transport=tls tls:127.0.0.1:5061; -1; <null> 1 3 "},
		{`ds_select_domain(2, 8, "f"); xlog("$rc $ru $du");`, "1 sip:+4930123@10.0.1.1;transport=tls;user=phone <null>"},
		{`ds_select_dst(1, 8);` + avps, "<null> 1 0 a=1"},
		{`ds_select_dst(9, 4); xlog("$rc $du");`, "-1 <null>"},
		{`ds_select_dst(3, 4); xlog("$rc");`, "-1"},
		{`ds_select_dst(4, 4); xlog("$rc");`, "-1"},
		{`ds_select_dst(2, 8, "f"); ds_select_dst(1, 8, "fa", , 2);` + avps, "sip:10.0.1.1,sip:10.0.0.1:5061;transport=tls,sip:10.0.0.2:5061;transport=tls 1 3 "},
		{`ds_select_dst(1, 8, "f"); ds_mark_dst(); ds_select_dst(1, 8); xlog("$du"); ds_mark_dst("p"); ds_mark_dst("p"); ds_select_dst(1, 8); xlog("$du");
			ds_mark_dst("P"); ds_select_dst(1, 8); xlog("$du"); ds_count(1, "ip", $var(n)); ds_count(1, "a", $var(m)); xlog("$var(n) $var(m)");`,
			"sip:10.0.0.2:5061;transport=tls; sip:10.0.0.2:5061;transport=tls; sip:10.0.0.3:5061;transport=tls; 2 1"},
		{`ds_select_dst(1, 8, "f"); ds_select_dst(1, 8, "fa"); ds_next_dst(); xlog("$du"); ds_mark_dst(); ds_next_dst(); ds_next_dst(); xlog("$du"); ds_next_dst(); xlog("$du");
			ds_next_dst(); xlog("$rc");`, // who is out since it was chosen is passed over
			"sip:10.0.0.2:5061;transport=tls; sip:10.0.0.1:5061;transport=tls; sip:10.0.0.3:5061;transport=tls; -1"},
		{`ds_mark_dst(); xlog("$rc");`, "-1"},
		{`ds_is_in_list("10.0.0.1", 5061); xlog("$rc $var(set)"); ds_is_in_list("10.0.0.1", 5060); xlog("$rc"); ds_is_in_list("10.0.1.2", 0); xlog("$rc $var(set)");`, "1 1; -1; 1 2"},
		{`ds_is_in_list("10.0.1.2", 5080, 2); xlog("$rc"); ds_is_in_list("10.0.1.2", 5080, 1); xlog("$rc"); ds_is_in_list("10.0.1.2", 5080, -1, , 1); xlog("$rc");`, "1; -1; -1"},
		{`ds_is_in_list("10.0.0.1", 0, 1, "default", 0, "a=?"); xlog("$rc"); ds_is_in_list("10.0.0.1", 0, 1, , , "b*"); xlog("$rc"); ds_is_in_list("nobody", 0); xlog("$rc");`, "1; -1; -1"},
		{`ds_push_script_attrs("load 5", "10.0.0.1", 5061, 1); ds_get_script_attrs("sip:10.0.0.1:5061;transport=tls", 1, , $var(got)); xlog("$var(got)"); ds_select_dst(1, 8); xlog("$avp(script)");`,
			"load 5; load 5"},
		{`ds_select_dst(1, 7); $var(first) = $du; ds_select_dst(1, 7); xlog("$(var(first){s.substr,0,8}) $(du{s.substr,0,8})");`, "sip:10.0 sip:10.0"},
	} {
		log := moduletest.Logs(t, head(t, table, `attrs_avp="$avp(at)"`, `setid_pvar="$var(set)"`, `hash_pvar="$fU/$ci"`, `script_attrs_avp="$avp(script)"`), c.statements, dispatcher.New)
		if got := lines(log); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.statements, got, c.want)
		}
	}
}

// TestHashes: the same request goes to the same destination, whatever else changes.
func TestHashes(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("setid,destination\n")
	for i := range 50 {
		fmt.Fprintf(&rows, "1,sip:10.0.0.%d\n", i+1)
	}
	b := moduletest.New(t, head(t, rows.String())+`route {
		ds_select_dst(1, 0); xlog("$du"); ds_select_dst(1, 1); xlog("$du"); ds_select_dst(1, 2); xlog("$du"); ds_select_dst(1, 3, "u"); xlog("$du"); ds_select_dst(1, 5); xlog("$du");
	}`, dispatcher.New)
	run := func(old, replaced string) []string {
		b.Receive([]byte(strings.Replace(string(moduletest.Invite), old, replaced, 1)))
		return append([]string(nil), b.Log...)
	}
	auth := "Max-Forwards: 69\r\nProxy-Authorization: Digest username=\"alice\", realm=\"x\"\r\n"
	base := run("Max-Forwards: 69\r\n", auth)
	other := run("Call-ID: a84b4c76e66710@pc33", "Call-ID: b@pc34")
	if len(base) != 5 || len(other) != 5 {
		t.Fatalf("%v %v", base, other)
	}
	if base[0] == other[0] || base[1] != other[1] || base[2] != other[2] || base[3] != other[3] {
		t.Errorf("another Call-ID: %v, %v", base, other)
	}
	if user := run("INVITE sip:+4930123@example.net:5070;transport=tls;user=phone", "INVITE sip:+4930123@else.where"); user[3] != base[3] || user[0] != base[0] {
		t.Errorf("another host, hashed by user: %v, %v", base, user)
	}
	if again := run("Max-Forwards: 69\r\n", auth); again[4] != base[4] {
		t.Errorf("the same user: %v, %v", base, again)
	}
	if one, two := run("", ""), run("", ""); one[4] == two[4] {
		t.Errorf("without a user there is no round robin: %v", one)
	}
}

func TestLoads(t *testing.T) {
	rows := "setid,destination,attrs\n1,sip:10.0.0.1,7\n1,sip:10.0.0.2,3\n1,sip:10.0.0.3,-1\n1,sip:10.0.0.4,5\n"
	text := head(t, rows, `algo_route="weigh"`, `pvar_algo_pattern="$avp(load)"`) + `route {
		ds_select_dst(1, 10, "f"); xlog("$(avp(ds_dst_failover)[*])");
		ds_select_dst(1, 9); xlog("$du $rc");
	}
	route[weigh] { if ($param(2) == "-1" || $param(dst_uri) == NULL || $param(script_attrs) != "") return(-1); return($(param(attrs){s.int})); }`
	b := moduletest.New(t, text, dispatcher.New)
	b.Receive(moduletest.Invite)
	if got := lines(b.Log); got != "sip:10.0.0.2,sip:10.0.0.4,sip:10.0.0.1; sip:10.0.0.1 1" {
		t.Errorf("%s", got)
	}
}

func TestPartitions(t *testing.T) {
	dir := t.TempDir()
	for name, row := range map[string]string{"a": "1,sip:10.0.0.1", "b": "1,sip:10.0.1.1\n1,sip:10.0.1.2"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("setid,destination\n"+row+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := moduletest.Head("dispatcher") + fmt.Sprintf(`
modparam("dispatcher", "partition", "trunks: file = %[1]s/a; attrs_avp = $avp(at)")
modparam("dispatcher", "partition", "boxes: file = %[1]s/b; dst_avp = $avp(mine)")
modparam("dispatcher", "partition", "default: trunks")
route {
	ds_select_dst(1, 8, "f"); xlog("$du $avp(ds_dst_failover_trunks)");
	$var(p) = "boxes"; ds_select_dst(1, 8, "f", $var(p)); xlog("$du $(avp(mine)[*])");
	ds_next_dst("boxes"); xlog("$du"); ds_next_dst("trunks"); xlog("$rc");
	ds_select_dst(1, 8, , "nobody$var(p)"); xlog("$rc");
}`, dir)
	b := moduletest.New(t, text, dispatcher.New)
	b.Receive(moduletest.Invite)
	want := "sip:10.0.0.1 sip:10.0.0.1; sip:10.0.1.1 sip:10.0.1.1,sip:10.0.1.2; sip:10.0.1.2; -1; "
	if got := lines(b.Log); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "; -1") || !strings.Contains(got, "there is no partition nobodyboxes") {
		t.Errorf("%s", got)
	}
}

func TestCommands(t *testing.T) {
	text := head(t, table)
	b := moduletest.New(t, text+`route { ds_select_dst(2, 8); }`, dispatcher.New)
	b.Receive(moduletest.Invite)
	list := b.Ask(t, "ds_list", `{}`)
	for _, part := range []string{
		`{"PARTITIONS":[{"name":"default","SETS":[{"id":3,`,
		`{"id":1,"Destinations":[{"URI":"sip:10.0.0.1:5061;transport=tls","state":"Active","first_hit_counter":0,"attr":"a=1","resolved_addresses":["10.0.0.1:5061"]},`,
		`{"id":2,"Destinations":[{"URI":"sip:10.0.1.2:5080","state":"Inactive","first_hit_counter":0,"resolved_addresses":["10.0.1.2:5080"]},{"URI":"sip:10.0.1.1","state":"Active","first_hit_counter":1,`,
		`{"URI":"sip:10.0.2.1","state":"Probing",`,
	} {
		if !strings.Contains(list, part) {
			t.Errorf("ds_list lacks %s:\n%s", part, list)
		}
	}
	if full := b.Ask(t, "ds_list", `{"full":1,"partition":"default"}`); !strings.Contains(full, `"weight":1,"priority":0,"description":"first"`) {
		t.Errorf("full: %s", full)
	}
	for _, c := range []struct{ method, params, want string }{
		{"ds_set_state", `["x", "1", "sip:10.0.1.1"]`, `{"code":500,"message":"Bad state value"}`},
		{"ds_set_state", `["i", "1", "sip:10.9.9.9"]`, `{"code":404,"message":"destination not found"}`},
		{"ds_set_state", `["a", "default:2", "sip:10.0.1.2:5080"]`, `"OK"`},
		{"ds_set_state", `{"state":"p","group":2,"address":"sip:10.0.1.1"}`, `"OK"`},
		{"ds_push_script_attrs", `["new", "10.0.2.1", 5060, 3]`, `"OK"`},
		{"ds_push_script_attrs", `["new", "10.0.2.1", 5060, 4]`, `{"code":404,"message":"destination not found"}`},
		{"ds_list", `["0", "nobody"]`, `{"code":404,"message":"Unknown partition"}`},
		{"ds_reload", `{}`, `{"loaded":6,"left_out":3,"rows":[`}, // of which TestLeftOutRows tells
	} {
		if got := b.Ask(t, c.method, c.params); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: %s", c.method, c.params, got)
		}
	}
	list = b.Ask(t, "ds_list", `{}`)
	for _, part := range []string{`"sip:10.0.1.2:5080","state":"Active"`, `"sip:10.0.1.1","state":"Probing","first_hit_counter":0`, `"script_attr":"new"`} {
		if !strings.Contains(list, part) {
			t.Errorf("after a reload ds_list lacks %s:\n%s", part, list)
		}
	}
	if got := b.Ask(t, "ds_reload", `{"inherit_state":"n"}`); !strings.HasPrefix(got, `{"loaded":6,"left_out":3,`) {
		t.Error(got)
	}
	if list = b.Ask(t, "ds_list", `{}`); !strings.Contains(list, `"sip:10.0.1.2:5080","state":"Inactive"`) {
		t.Errorf("a reload with the table's states: %s", list)
	}
}

// TestBadReload: a table that cannot be read changes nothing.
func TestBadReload(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "d.csv")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("setid,destination\n1,sip:10.0.0.1\n")
	b := moduletest.New(t, moduletest.Head("dispatcher")+fmt.Sprintf("modparam(\"dispatcher\", \"dispatcher_file\", %q)\nroute { ds_select_dst(1, 8); xlog(\"$du\"); }", path), dispatcher.New)
	write("setid,uri\n1,sip:10.0.0.9\n")
	if got := b.Ask(t, "ds_reload", `{}`); !strings.Contains(got, "destination") || !strings.Contains(got, `"code":500`) {
		t.Errorf("%s", got)
	}
	b.Receive(moduletest.Invite)
	if got := lines(b.Log); got != "sip:10.0.0.1" {
		t.Errorf("%s", got)
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`route { ds_select_dst(1, 8, "x"); }`:                                            `there is no flag 'x': f, u, d, a`,
		`route { ds_select_dst(1, 7); }`:                                                 `algorithm 7 hashes hash_pvar, which is not set`,
		`route { ds_select_dst(1, 10); }`:                                                `algorithm 10 runs algo_route, which is not set`,
		`route { ds_select_dst(1, 8, , "nobody"); }`:                                     `there is no partition nobody`,
		`route { ds_get_script_attrs("sip:a", 1); }`:                                     `needs a variable for the attributes`,
		`route { ds_mark_dst("x"); }`:                                                    `"x" is no state: a, i or p`,
		`route { ds_is_in_list($si, $sp, 1, , , "[a"); }`:                                `"[a" is no pattern`,
		`timer_route[t, 1] { ds_select_dst(1, 8); }` + "\nroute { exit; }":               `ds_select_dst() cannot be used in timer_route`,
		"modparam(\"dispatcher\", \"algo_route\", \"no\")\nroute { exit; }":              `there is no route[no]`,
		"modparam(\"dispatcher\", \"fetch_freeswitch_stats\", 1)\nroute { exit; }":       `loadmodule "freeswitch.so"`,
		"modparam(\"dispatcher\", \"options_reply_codes\", \"x\")\nroute { exit; }":      `is no list of codes`,
		"modparam(\"dispatcher\", \"partition\", \"p: nothing = 1\")\nroute { exit; }":   `has the unknown key nothing`,
		"modparam(\"dispatcher\", \"partition\", \"default: nobody\")\nroute { exit; }":  `there is no partition nobody`,
		"modparam(\"dispatcher\", \"ds_probing_list\", \"1,x\")\nroute { exit; }":        `is no list of sets`,
		"modparam(\"dispatcher\", \"ds_ping_interval\", -1)\nroute { exit; }":            `ds_ping_interval = -1 is not possible`,
		"modparam(\"dispatcher\", \"pvar_algo_pattern\", \"stat(%u)\")\nroute { exit; }": `expected a variable`,
	} {
		if got := moduletest.Wrong(t, head(t, table)+text, dispatcher.New); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("dispatcher")+"route { exit; }", dispatcher.New); !strings.Contains(got, "neither a db_url nor a file") {
		t.Error(got)
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, dispatcher.New) }
