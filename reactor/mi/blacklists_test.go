package mi

import (
	"encoding/json"
	"regexp"
	"testing"

	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/rpc"
)

func TestBlacklistCommands(t *testing.T) {
	set := new(blacklist.Set)
	for _, def := range []string{`gw:{(tcp, 192.168.4.100, 5060, ""), !(any, 10.0.0.0/8)}`, "net_dynamic/expire", `words:{(any,192.0.2.1,0,"*bad*")}`} {
		l, err := blacklist.Parse(def, "core")
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	d := rpc.NewDispatcher(nil)
	if err := d.Register((&Node{Blacklists: func() *blacklist.Set { return set }}).blacklists()...); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, params, want string }{
		{"list_blacklists", `["gw"]`, `{"Blacklists":[{"name":"gw","owner":"core","flags":"readonly","Rules":[` +
			`{"IP":"192.168.4.100/32","Proto":"tcp","Port":5060,"Match":"","Negated":false},{"IP":"10.0.0.0/8","Proto":"any","Port":0,"Match":"","Negated":true}]}]}`},
		{"list_blacklists", `["none"]`, `there is no such blacklist`},
		{"blacklists:add_rule", `["net_dynamic", "!tcp,127.0.0.1,5060", 3600]`, `"OK"`},
		{"blacklists:list", `{"name":"net_dynamic"}`, `{"Blacklists":[{"name":"net_dynamic","owner":"core","flags":"expire","Rules":[` +
			`{"IP":"127.0.0.1/32","Proto":"tcp","Port":5060,"Match":"","Negated":true,"Expires in":3600}]}]}`},
		{"blacklists:check_all", `["tcp", "127.0.0.1", "5060"]`, `["gw"]`},
		{"blacklists:check_all", `["tcp", "127.0.0.1", "5061"]`, `["gw","net_dynamic"]`},
		{"check_blacklists", `["10.1.1.1"]`, `["net_dynamic"]`},
		{"check_blacklists", `{"ip":"192.0.2.1","pattern":"a bad word"}`, `["gw","net_dynamic","words"]`},
		{"check_blacklist", `["gw", "tcp", "192.168.4.100", "5060"]`, `{"IP":"192.168.4.100/32","Proto":"tcp","Port":5060,"Match":"","Negated":false}`},
		{"blacklists:check", `["gw", "10.0.0.1"]`, `no rule matches`},
		{"blacklists:check", `["none", "10.0.0.1"]`, `there is no such blacklist`},
		{"del_blacklist_rule", `["net_dynamic", "!tcp,127.0.0.1,5060"]`, `"OK"`},
		{"del_blacklist_rule", `["net_dynamic", "!tcp,127.0.0.1,5060"]`, `blacklist: the list has no such rule`},
		{"add_blacklist_rule", `["gw", "10.0.0.1"]`, `blacklist: the list cannot be changed`},
		{"add_blacklist_rule", `["none", "10.0.0.1"]`, `there is no such blacklist`},
		{"add_blacklist_rule", `["net_dynamic", "ten"]`, `"ten" is no IP address`},
		{"check_blacklists", `["ten"]`, `ip "ten" is no IP address`},
		{"check_blacklists", `["10.0.0.1", "x"]`, `port "x" is not 0 to 65535`},
	} {
		c, known := d.Command(tc.name)
		if !known {
			t.Fatalf("no command %s", tc.name)
		}
		a, bad := rpc.ParseArgs(json.RawMessage(tc.params), c.Params)
		if bad != nil {
			t.Errorf("%s %s: %v", tc.name, tc.params, bad)
			continue
		}
		v, err := c.Func(t.Context(), a)
		got, _ := json.Marshal(v)
		if err != nil {
			got = []byte(err.Error())
		}
		if !regexp.MustCompile(regexp.QuoteMeta(tc.want)).Match(got) {
			t.Errorf("%s %s: %s, want %s", tc.name, tc.params, got, tc.want)
		}
	}
}
