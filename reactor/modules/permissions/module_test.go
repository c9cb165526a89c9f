package permissions_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/permissions"
)

const table = `id,grp,ip,mask,port,proto,pattern,context_info
1,4,10.0.0.9,32,0,any,alice*,carrier A
2,4,10.0.0.0,24,0,tls,,
3,5,10.0.0.9,32,40000,tls,,five
4,6,192.168.2.0,24,5060,udp,,
`

func head(t testing.TB, rows string) (text, dir string) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "address.csv")
	if err := os.WriteFile(path, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	return moduletest.Head("permissions") + fmt.Sprintf("modparam(\"permissions\", \"address_file\", %q)\n", path), dir
}

// TestAddresses: messages of the bench come from 10.0.0.9:40000 by TLS.
func TestAddresses(t *testing.T) {
	for statements, want := range map[string]string{
		`check_source_address(4, $avp(ctx)); xlog("$rc $avp(ctx)");`:                                                        "1 carrier A",
		`check_source_address(4, $avp(ctx), "bob"); xlog("$rc $avp(ctx)");`:                                                 "1 <null>",
		`check_source_address(4, $avp(ctx), "alice.b"); xlog("$rc $avp(ctx)");`:                                             "1 carrier A",
		`check_source_address(5); xlog("$rc");`:                                                                             "1",
		`check_source_address(6); xlog("$rc");`:                                                                             "-1",
		`check_source_address(0); xlog("$rc");`:                                                                             "1",
		`check_source_address("4"); xlog("$rc");`:                                                                           "1",
		`check_address(6, "192.168.2.135", 5060, "udp"); xlog("$rc");`:                                                      "1",
		`check_address(6, "192.168.2.135", 0, "ANY"); xlog("$rc");`:                                                         "1",
		`check_address(6, "192.168.2.135", 5061, "UDP"); xlog("$rc");`:                                                      "-1",
		`check_address(6, "192.168.2.135", 5060, "tcp"); xlog("$rc");`:                                                      "-1",
		`check_address(5, $si, $sp, $socket_in(proto), $var(c)); xlog("$rc $var(c)");`:                                      "1 five",
		`$avp(ip) = "192.168.2.1"; $avp(p) = 5060; check_address(6, $avp(ip), $avp(p), "any", , , "default"); xlog("$rc");`: "1",
		`get_source_group($var(g)); xlog("$rc $var(g)");`:                                                                   "1 4",
	} {
		text, _ := head(t, table)
		if got := strings.Join(moduletest.Logs(t, text, statements, permissions.New), "; "); got != want {
			t.Errorf("%s\n got %s\nwant %s", statements, got, want)
		}
	}
}

func TestRulesOfFiles(t *testing.T) {
	text, dir := head(t, table)
	for name, rules := range map[string]string{
		"permissions.allow": `"alice@atlanta" : "^sip:\+49"`,
		"permissions.deny":  `ALL : ALL`,
		"register.deny":     `ALL : "@10\.0\.0\."`,
		"own.allow":         `ALL : "^sip:good"`,
		"none.deny":         `ALL : ALL`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(rules+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"default_allow_file=permissions.allow", "default_deny_file=permissions.deny"} {
		name, file, _ := strings.Cut(p, "=")
		text += fmt.Sprintf("modparam(\"permissions\", %q, \"%s/%s\")\n", name, dir, file)
	}
	text += fmt.Sprintf(`route {
		allow_routing(); xlog("$rc"); $ru = "sip:0900@x"; allow_routing(); xlog("$rc");
		$ru = "sip:+4930@x"; append_branch("sip:0900@x"); allow_routing(); xlog("$rc");
		allow_register("%[1]s/register"); xlog("$rc"); allow_register("%[1]s/own.allow", "%[1]s/none.deny"); xlog("$rc");
		allow_uri("%[1]s/own", "sip:good@x"); xlog("$rc"); allow_uri("%[1]s/none", "sip:a@x"); xlog("$rc"); allow_uri("%[1]s/absent", "sip:a@x"); xlog("$rc");
	}`, dir)
	text = strings.Replace(text, `append_branch("sip:0900@x");`, `append_msg_branch("sip:0900@x");`, 1)
	b := moduletest.New(t, text, permissions.New)
	b.Receive(moduletest.Invite)
	if got := strings.Join(b.Log, " "); got != "1 -1 -1 -1 -1 1 -1 1" {
		t.Errorf("%s", got)
	}
	if got := b.Ask(t, "allow_uri", fmt.Sprintf(`["%s/own", "sip:a@b", "sip:good@x"]`, dir)); got != `"OK"` {
		t.Error(got)
	}
	if got := b.Ask(t, "allow_uri", fmt.Sprintf(`["%s/none", "sip:a@b", "sip:good@x"]`, dir)); !strings.Contains(got, "403") {
		t.Error(got)
	}
	if err := os.WriteFile(filepath.Join(dir, "register.deny"), []byte("ALL : nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := b.Ask(t, "permissions_reload", `{}`); !strings.Contains(got, "register.deny:1") {
		t.Error(got)
	}
}

func TestCommands(t *testing.T) {
	text, dir := head(t, table)
	b := moduletest.New(t, text+`route { check_source_address(9); xlog("$rc"); }`, permissions.New)
	if got, want := b.Ask(t, "address_dump", `{}`), `{"Partitions":[{"name":"default","Destinations":[`+
		`{"grp":4,"ip":"10.0.0.9","mask":32,"port":0,"proto":"any","pattern":"alice*","context_info":"carrier A"},`+
		`{"grp":5,"ip":"10.0.0.9","mask":32,"port":40000,"proto":"tls","context_info":"five"}]}]}`; got != want {
		t.Errorf("address_dump: %s", got)
	}
	if got, want := b.Ask(t, "subnet_dump", `["default"]`), `{"Partitions":[{"name":"default","Destinations":[`+
		`{"grp":4,"ip":"10.0.0.0","mask":24,"port":0,"proto":"tls"},{"grp":6,"ip":"192.168.2.0","mask":24,"port":5060,"proto":"udp"}]}]}`; got != want {
		t.Errorf("subnet_dump: %s", got)
	}
	if got := b.Ask(t, "address_dump", `["x"]`); got != `{"code":404,"message":"No such partition"}` {
		t.Error(got)
	}
	path := filepath.Join(dir, "address.csv")
	reload := func(rows string) (answer, code string) {
		if err := os.WriteFile(path, []byte("grp,ip,mask\n"+rows), 0o600); err != nil {
			t.Fatal(err)
		}
		answer = b.Ask(t, "address_reload", `{}`)
		b.Receive(moduletest.Invite)
		return answer, strings.Join(b.Log, " ")
	}
	if answer, code := reload("9,10.0.0.0,8\n"); answer != `"OK"` || code != "1" {
		t.Errorf("a good table: %s %s", answer, code)
	}
	if answer, code := reload("9,gw.example,32\n"); !strings.Contains(answer, `\"gw.example\" is no IP address`) || code != "1" {
		t.Errorf("a wrong table: %s %s", answer, code)
	}
}

func TestErrors(t *testing.T) {
	text, _ := head(t, table)
	for wrong, want := range map[string]string{
		`route { check_address(1, "10.0.0.1", 5060, "quic"); }`:                                                                                 `"quic" is no transport`,
		`route { check_source_address(1, , , "nobody"); }`:                                                                                      `there is no partition nobody`,
		"modparam(\"permissions\", \"partition\", \"p: x = 1\")\nroute { exit; }":                                                               `has the unknown key x`,
		"modparam(\"permissions\", \"partition\", \"p: file = a\")\nmodparam(\"permissions\", \"partition\", \"p: file = b\")\nroute { exit; }": `the partition p is there already`,
	} {
		if got := moduletest.Wrong(t, text+wrong, permissions.New); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", wrong, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("permissions")+"route { check_source_address(1); }", permissions.New); !strings.Contains(got, "there is no address table") {
		t.Error(got)
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, permissions.New) }
