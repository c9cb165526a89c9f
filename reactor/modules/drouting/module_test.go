package drouting_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_text"
	"sipreactor/reactor/modules/drouting"
	"sipreactor/reactor/modules/moduletest"
)

// files are the tables of a trunk edge with two carriers.
var files = map[string]string{
	"gateways": `gwid,type,address,strip,pri_prefix,attrs,probe_mode,state,socket
a1,1,sip:10.0.0.1:5060,0,,a=1,0,0,
a2,1,10.0.0.2,2,00,,1,0,tls:127.0.0.1:5061
b1,2,sip:10.0.1.1:5080;transport=tls,0,,b=1,2,0,
src,3,10.0.0.9:40000;transport=tls,3,9,from,0,0,
off,1,10.0.0.7,0,,,0,1,
bad id,1,10.0.0.8,0,,,0,0,
`,
	"carriers": `carrierid,gwlist,flags,sort_alg,state,attrs
A,"a1,a2",0,N,0,ca=1
B,b1=10,0,W,0,
S,src,0,N,0,cs
`,
	"rules": `ruleid,groupid,prefix,timerec,priority,routeid,gwlist,sort_alg,attrs
1,0,,,0,,"#A,#B",N,all
2,0,49301,,0,noted,"b1,a1",N,berlin
3,"0,7",4930123,20200101T000000|20200102T000000,0,,a2,N,past
4,1,49,,0,,"#A",N,
5,0,x,,0,,a1,N,
6,0,5,,0,,nobody,N,
7,0,6,,0,missing,a1,N,
8,5,+49,,0,,a2,N,plus
`,
	"groups": "username,domain,groupid\nalice,atlanta.example,0\nbob,,1\n",
}

func head(t testing.TB, params ...string) string {
	t.Helper()
	text := moduletest.Head("drouting")
	dir := t.TempDir()
	for name, rows := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(rows), 0o600); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("modparam(\"drouting\", \"%s_file\", %q)\n", name, path)
	}
	for _, p := range append(params, `extra_prefix_chars="+"`) {
		name, value, _ := strings.Cut(p, "=")
		text += fmt.Sprintf("modparam(\"drouting\", %q, %s)\n", name, value)
	}
	return text
}

// said is what the script has logged.
func said(log []string) string {
	var all []string
	for _, l := range log {
		if !strings.HasPrefix(l, "drouting: ") {
			all = append(all, l)
		}
	}
	return strings.Join(all, "; ")
}

// TestRouting: the bench's Request-URI is for +4930123, From is alice@atlanta.example.
func TestRouting(t *testing.T) {
	const all = `xlog("$rc $ru $avp(gw) $avp(cr) $avp(rule) $avp(match) $var(ra) $var(ga) $var(ca)");`
	for _, c := range []struct{ statements, want string }{
		{`do_routing(0, , , $var(ra), $var(ga), $var(ca)); ` + all, "1 sip:+4930123@10.0.0.1:5060 a1 A 1  all a=1 ca=1"},
		{`$rU = "4930123"; do_routing(0, , , $var(ra), $var(ga)); ` + all, "noted 4930123; 1 sip:4930123@10.0.1.1:5080;transport=tls b1 <null> 2 49301 berlin b=1 <null>"},
		{`do_routing(0); use_next_gw($var(ra), $var(ga), $var(ca)); ` + all + ` xlog("$fs $avp(pri) $(avp(___dr_ruri__)[*])");`,
			"1 sip:00930123@10.0.0.2 a2 A 1  all <null> ca=1; tls:127.0.0.1:5061 00 sip:+4930123@10.0.1.1:5080;transport=tls"},
		{`do_routing(0); use_next_gw(); use_next_gw(); xlog("$rc $ru $avp(gw)"); use_next_gw(); xlog("$rc");`, "1 sip:+4930123@10.0.1.1:5080;transport=tls b1; -1"},
		{`do_routing(); ` + all, "1 sip:+4930123@10.0.0.1:5060 a1 A 1  <null> <null> <null>"},
		{`$rU = "4930123"; do_routing(0, "F"); use_next_gw(); use_next_gw(); ` + all, "noted 4930123; 1 sip:4930123@10.0.0.1:5060 a1 A 1  <null> <null> <null>"},
		{`do_routing(0, "C", , $var(ra)); ` + all, "1 sip:+4930123@example.net:5070;transport=tls;user=phone <null> <null> <null> <null> all <null> <null>"},
		{`do_routing(5, "L"); xlog("$rc"); do_routing(5); xlog("$rc $ru $avp(match)");`, "-1; 1 sip:00930123@10.0.0.2 +49"},
		{`do_routing(9); xlog("$rc $ru");`, "-1 sip:+4930123@example.net:5070;transport=tls;user=phone"},
		{`do_routing(0, , "b1"); xlog("$rc $avp(gw)");`, "1 b1"},
		{`route_to_carrier("nobody, B", $var(ga), $var(ca)); xlog("$rc $ru $var(ga) $var(ca)");`, "1 sip:+4930123@10.0.1.1:5080;transport=tls b=1 <null>"},
		{`route_to_carrier("nobody"); xlog("$rc");`, "-1"},
		{`route_to_gw("a2,b1", $var(ga), $var(ca)); xlog("$rc $ru $var(ca)"); use_next_gw(); xlog("$rc $avp(gw) $avp(cr)");`, "1 sip:00930123@10.0.0.2 ca=1; 1 b1 B"},
		{`route_to_gw("off"); xlog("$rc");`, "-1"},
		{`do_routing(0); dr_disable(); do_routing(0); xlog("$avp(gw)"); dr_disable(); do_routing(0); xlog("$avp(gw)");`, "a2; b1"},
		{`do_routing(0); dr_disable(); route_to_gw("b1,a1"); use_next_gw(); xlog("$rc");`, "-1"},
		{`dr_disable(); xlog("$rc");`, "-1"},
		{`is_from_gw(); xlog("$rc"); is_from_gw(3, "ic", $var(ga), $var(ca)); xlog("$rc $avp(gw) $avp(cr) $var(ga) $var(ca)"); is_from_gw(1); xlog("$rc"); is_from_gw(-1, "nr"); xlog("$rc");`,
			"1; 1 src S from cs; -1; 1"},
		{`is_from_gw(3, "sp"); xlog("$rU");`, "930123"},
		{`goes_to_gw(); xlog("$rc"); $du = "sip:10.0.1.1:5080"; goes_to_gw(2, "i"); xlog("$rc $avp(gw)"); goes_to_gw(1); xlog("$rc");`, "-1; 1 b1; -1"},
		{`dr_is_gw("sip:u@10.0.1.1", , "n"); xlog("$rc"); dr_is_gw("sip:u@10.0.1.1"); xlog("$rc"); dr_is_gw("sip:localhost", 1); xlog("$rc");`, "1; -1; -1"},
		{`dr_match(0, , "4930177", $var(ra)); xlog("$rc $var(ra)"); dr_match(0, "L", "49301"); xlog("$rc"); dr_match(0, "L", "493017"); xlog("$rc"); dr_match(9, , $rU); xlog("$rc");`, "1 berlin; 1; -1; -1"},
		{`$rU = "4930123"; do_routing(7); xlog("$rc");`, "-1"},
	} {
		text := head(t, `gw_id_avp="$avp(gw)"`, `carrier_id_avp="$avp(cr)"`, `rule_id_avp="$avp(rule)"`, `rule_prefix_avp="$avp(match)"`, `gw_priprefix_avp="$avp(pri)"`)
		text += "route[noted] { xlog(\"noted $rU\"); }\n"
		if got := said(moduletest.Logs(t, text, c.statements, drouting.New)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.statements, got, c.want)
		}
	}
}

func TestLeftOut(t *testing.T) {
	var log []string
	b := moduletest.New(t, head(t)+"route { exit; }\nroute[noted] { exit; }", drouting.New)
	log = b.Log
	all := strings.Join(log, "\n")
	for _, part := range []string{
		`gwid=bad id, column gwid`, `ruleid=5, column prefix: "x"`, `ruleid=6, column gwlist: none of its gateways and carriers is there: nobody`,
		`ruleid=7, column routeid: the script has no route[missing]`, `gateways=5 carriers=3 rules=5 left_out=4`,
	} {
		if !strings.Contains(all, part) {
			t.Errorf("the log lacks %s:\n%s", part, all)
		}
	}
}

func TestGroups(t *testing.T) {
	b := moduletest.New(t, head(t, "default_group=5", "use_domain=0")+"route { do_routing(); xlog(\"$avp(___dr_gw_id__)\"); }\nroute[noted] { exit; }", drouting.New)
	for from, want := range map[string]string{"alice": "a1", "bob": "", "carol": "a2"} {
		b.Receive([]byte(strings.Replace(string(moduletest.Invite), "sip:alice@", "sip:"+from+"@", 1)))
		if got := said(b.Log); got != want && !(want == "" && got == "<null>") {
			t.Errorf("%s goes to %s", from, got)
		}
	}
}

func TestPartitions(t *testing.T) {
	dir := t.TempDir()
	for name, rows := range map[string]string{
		"x/dr_gateways": "gwid(string) address(string) type(int) strip(int) pri_prefix(string,null) attrs(string,null) probe_mode(int) state(int) socket(string,null) description(string,null)\ngx:10.1.0.1:0:0:::0:0::\n",
		"x/dr_carriers": "carrierid(string) gwlist(string)\n", "x/dr_groups": "username(string) groupid(int) domain(string,null)\n",
		"x/dr_rules":     "ruleid(int) groupid(string) prefix(string) gwlist(string)\n1:0:49:gx\n",
		"y/dr_gateways":  "gwid(string) address(string)\ngy:10.2.0.1\n",
		"y/dr_carriers":  "carrierid(string) gwlist(string)\n",
		"y/dr_groups":    "username(string) groupid(int) domain(string,null)\n",
		"y/dr_rules":     "ruleid(int) groupid(string) prefix(string) gwlist(string)\n1:0:1:gy\n",
		"partitions.csv": "partition_name,db_url\nx,text://" + dir + "/x\ny,text://" + dir + "/y\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(rows), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := moduletest.Head("db_text", "drouting") + fmt.Sprintf(`
modparam("drouting", "use_partitions", 1)
modparam("drouting", "partitions_file", "%s/partitions.csv")
modparam("drouting", "partition_id_pvar", "$var(found)")
`, dir)
	b := moduletest.New(t, text+`route {
		$rU = "123"; do_routing(0, , , , , , "*"); xlog("$rc $ru $var(found)");
		$var(p) = "x"; do_routing(0, , , , , , $var(p)); xlog("$rc");
		$rU = "49"; do_routing(0, , , , , , "x"); xlog("$rc $ru"); use_next_gw(, , , "y"); xlog("$rc");
		dr_match(0, , "1", , "y"); xlog("$rc"); do_routing(0, , , , , , "z"); xlog("$rc");
	}`, db_text.New, drouting.New)
	b.Receive(moduletest.Invite)
	got := said(b.Log)
	if !strings.HasPrefix(got, "1 sip:123@10.2.0.1 y; -1; 1 sip:49@10.1.0.1; -1; 1; ") || !strings.Contains(got, "there is no partition z") {
		t.Errorf("%s", got)
	}
	if got := b.Ask(t, "dr_gw_status", `{"partition_name":"y"}`); got != `{"Gateways":[{"ID":"gy","IP":"10.2.0.1","State":"Active"}]}` {
		t.Error(got)
	}
	if got := b.Ask(t, "dr_gw_status", `{}`); !strings.Contains(got, "partition_name is missing") {
		t.Error(got)
	}
	if got := b.Ask(t, "dr_reload_status", `{}`); !strings.Contains(got, `{"Partitions":[{"name":"x","Date":"`) {
		t.Error(got)
	}
	if got := b.Ask(t, "dr_reload", `["y"]`); got != `"OK"` {
		t.Error(got)
	}
	if got := moduletest.Wrong(t, text+"route { do_routing(0); }", db_text.New, drouting.New); !strings.Contains(got, "a partition must be named") {
		t.Error(got)
	}
	if got := moduletest.Wrong(t, text+`route { use_next_gw(, , , "*"); }`, db_text.New, drouting.New); !strings.Contains(got, "use_next_gw() takes one partition, not *") {
		t.Error(got)
	}
}

func TestCommands(t *testing.T) {
	b := moduletest.New(t, head(t)+"route { route_to_gw(\"a1\"); dr_disable(); route_to_gw(\"a2\"); dr_disable(); }\nroute[noted] { exit; }", drouting.New)
	b.Receive(moduletest.Invite)
	for _, c := range []struct{ method, params, want string }{
		{"dr_gw_status", `{"gw_id":"a1"}`, `{"State":"Inactive"}`},
		{"dr_gw_status", `{"gw_id":"a2"}`, `{"State":"Probing"}`},
		{"dr_gw_status", `{"gw_id":"a1","status":0}`, `"OK"`},
		{"dr_gw_status", `{"gw_id":"a1"}`, `{"State":"Disabled MI"}`},
		{"dr_gw_status", `{"gw_id":"a1","status":1}`, `"OK"`},
		{"dr_gw_status", `{"gw_id":"a1"}`, `{"State":"Active"}`},
		{"dr_gw_status", `{"gw_id":"b1","status":0}`, `"OK"`},
		{"dr_gw_status", `{}`, `{"Gateways":[{"ID":"a1","IP":"10.0.0.1:5060","State":"Active"},{"ID":"a2","IP":"10.0.0.2","State":"Probing"},{"ID":"b1","IP":"10.0.1.1:5080;transport=tls","State":"Disabled MI"},{"ID":"src","IP":"10.0.0.9:40000;transport=tls","State":"Active"},{"ID":"off","IP":"10.0.0.7","State":"Inactive"}]}`},
		{"dr_gw_status", `{"gw_id":"nobody"}`, `{"code":404,"message":"GW ID not found"}`},
		{"dr_carrier_status", `{"carrier_id":"A","status":0}`, `"OK"`},
		{"dr_carrier_status", `{"carrier_id":"A"}`, `{"Enabled":"no"}`},
		{"dr_carrier_status", `{}`, `{"Carriers":[{"ID":"A","Enabled":"no"},{"ID":"B","Enabled":"yes"},{"ID":"S","Enabled":"yes"}]}`},
		{"dr_carrier_status", `{"carrier_id":"X"}`, `{"code":404,"message":"Carrier ID not found"}`},
		{"dr_number_routing", `{"number":"4930199","group_id":0}`, `{"Matched Prefix":"49301","Rule":2,"GW List":["b1","a1"],"Attributes":"berlin"}`},
		{"dr_number_routing", `["331"]`, `{"Matched Prefix":"","Rule":1,"CARRIER List":["A","B"],"Attributes":"all"}`},
		{"dr_number_routing", `["331", 9]`, `{"code":404,"message":"No match"}`},
		{"dr_reload", `{}`, `{"loaded":15,"left_out":4,"rows":[`}, // of which TestLeftOutRows tells
		{"dr_gw_status", `{"gw_id":"b1"}`, `{"State":"Disabled MI"}`},
		{"dr_carrier_status", `{"carrier_id":"A"}`, `{"Enabled":"no"}`},
		{"dr_reload", `{"inherit_state":"n"}`, `{"loaded":15,"left_out":4,"rows":[`},
		{"dr_gw_status", `{"gw_id":"b1"}`, `{"State":"Active"}`},
		{"dr_carrier_status", `{"carrier_id":"A"}`, `{"Enabled":"yes"}`},
		{"dr_enable_probing", `{}`, `{"Status":1}`},
		{"dr_enable_probing", `[0]`, `"OK"`},
		{"dr_enable_probing", `{}`, `{"Status":0}`},
	} {
		if got := b.Ask(t, c.method, c.params); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: %s", c.method, c.params, got)
		}
	}
	if got := b.Ask(t, "dr_reload_status", `{}`); !strings.HasPrefix(got, `{"Date":"`) {
		t.Error(got)
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`route { do_routing(0, "X"); }`:                                            `there is no flag 'X': F, L, C, W`,
		`route { is_from_gw(1, "x"); }`:                                            `there is no flag 'x'`,
		`route { dr_match(1); }`:                                                   `dr_match() needs a number`,
		`route { use_next_gw(, , , "part"); }`:                                     `there are no partitions: use_partitions is not set`,
		`modparam("drouting", "gw_socket_filter_mode", "x")` + "\nroute { exit; }": `is none of all, ignore and matched-only`,
		`modparam("drouting", "define_blacklist", "a= x")` + "\nroute { exit; }":   `is not written as "name = 1,2,3"`,
		`modparam("drouting", "extra_prefix_chars", "ä")` + "\nroute { exit; }":    `is no visible ASCII character`,
	} {
		if got := moduletest.Wrong(t, head(t)+text, drouting.New); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("drouting")+"route { exit; }", drouting.New); !strings.Contains(got, "neither a db_url nor a file") {
		t.Error(got)
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, drouting.New) }
