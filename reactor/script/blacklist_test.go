package script

import (
	"strings"
	"testing"
)

const blacklists = `
# filter out requests going to IPs of my gateways
dst_blacklist = gw:{(tcp, 192.168.4.100, 5060, ""), (any, 192.168.4.101, 0, "")}
dst_blacklist = net_filter:{(any, 192.168.1.120/255.255.255.0, 0, "")} # evil
dst_blacklist=msg_filter:{
	(any, 192.168.20.0/255.255.255.0, 0, "INVITE*ü\"}; #*")
}
dst_blacklist = home/default: !10.0.0.0/8
dst_blacklist = net_dynamic/expire
disable_dns_blacklist = no
loadmodule "proto_tls.so"
loadmodule "sl.so"
socket=tls:127.0.0.1:5061
`

// The lists of the documentation's examples, and what a script does with them.
func TestBlacklists(t *testing.T) {
	cfg, err := compile("test.cfg", []byte(blacklists+"route { exit; }"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range cfg.Proxy.Blacklists.Lists() {
		names = append(names, l.Name()+"/"+l.Flags().String())
	}
	if got := strings.Join(names, " "); got != "gw/readonly net_filter/readonly msg_filter/readonly home/default net_dynamic/expire dns/expire,default" {
		t.Error(got)
	}
	if cfg.Proxy.DeadTargets == nil || cfg.Proxy.DeadTargets.Name() != "dns" {
		t.Error("no list of dead targets")
	}
	for _, tc := range []struct{ do, want string }{
		{`if (check_blacklist_rule("gw", "192.168.4.101", 5061, "tls")) xlog("blocked");`, "blocked"},
		{`if (!check_blacklist_rule("gw", "192.168.4.100")) xlog("not for any");`, "not for any"},
		{`if (check_blacklist_rule("gw", "192.168.4.100", 5060, "tcp")) xlog("blocked");`, "blocked"},
		{`if (check_blacklist_rule(, "192.168.4.101")) xlog("blocked by home");`, "blocked by home"},
		{`unuse_blacklist("home"); if (!check_blacklist_rule(, "192.168.4.101")) xlog("by none"); use_blacklist("gw"); if (check_blacklist_rule(, "192.168.4.101")) xlog("by gw");`, "by none|by gw"},
		{`if (check_blacklist_rule("msg_filter", "192.168.20.1", , , "INVITE x ü\"}; # y")) xlog("pattern");`, "pattern"},
		{`if (add_blacklist_rule("net_dynamic", $si, 5070, "udp", , 60) && check_blacklist_rule("net_dynamic", $si, 5070, "udp")) xlog("added");
			del_blacklist_rule("net_dynamic", $si, 5070, "udp"); if (!check_blacklist_rule("net_dynamic", $si, 5070, "udp")) xlog("removed");`, "added|removed"},
		{`if (add_blacklist_rule("net_dynamic", "!10.1.2.3", 0) && check_blacklist_rule("net_dynamic", "10.1.2.4")) xlog("turned around");`, "turned around"},
		{`if (!add_blacklist_rule("gw", "10.1.2.3")) xlog("read only");`, "script: add_blacklist_rule() error=blacklist: the list cannot be changed|read only"},
		{`if (!del_blacklist_rule("net_dynamic", "ten")) xlog("no rule");`, "script: del_blacklist_rule(): the arguments are no rule|no rule"},
		{`$var(l) = "none"; if (!use_blacklist($var(l))) xlog("no list");`, "script: use_blacklist(): there is no such blacklist name=none|no list"},
		{`if (!forward("tls:192.168.4.101")) xlog("filtered");`, "script: forward() failed error=tls:192.168.4.101: proxy: the destination is blacklisted|filtered"},
		{`unuse_blacklist("home"); if (forward("tls:192.168.4.101")) xlog("sent");`, "sent"},
	} {
		b := newBench(t, blacklists+"route {\n"+tc.do+"\n}\n")
		b.receive(invite)
		got := strings.Join(b.log, "|")
		if i := strings.Index(got, " at="); i >= 0 {
			if j := strings.IndexByte(got[i:], '|'); j >= 0 {
				got = got[:i] + got[i+j:]
			}
		}
		if got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.do, got, tc.want)
		}
	}
}

func TestBlacklistErrors(t *testing.T) {
	for text, want := range map[string]string{
		"dst_blacklist = gw:{(any,1.2.3.4)":                                   "cfg:1:20: dst_blacklist: the { of the rules has no } behind it",
		"dst_blacklist = gw:{(any,1.2.3.400)}":                                `cfg:1:21: dst_blacklist: "1.2.3.400" is no IP address`,
		"dst_blacklist = gw/forever":                                          `cfg:1:20: dst_blacklist: "forever" is no flag`,
		"dst_blacklist = gw\ndst_blacklist = gw":                              "cfg:2:17: dst_blacklist is not possible: blacklist: there are two lists gw",
		"dst_blacklist =\n":                                                   `cfg:1:1: dst_blacklist: "" is no name`,
		"dst_blacklist = gw\nroute { use_blacklist(\"gv\"); }":                "cfg:2:23: there is no blacklist gv",
		"dst_blacklist = gw\nroute { use_blacklist(); }":                      "use_blacklist",
		"timer_route[t, 5] { use_blacklist(\"gw\"); }":                        "use_blacklist",
		"dst_blacklist = gw:1.2.3.4\nroute { check_blacklist_rule(\"gw\"); }": "check_blacklist_rule",
	} {
		if _, err := compile("cfg", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}
