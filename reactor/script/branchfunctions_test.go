package script

import (
	"strings"
	"testing"
)

// TestBranches are the branches of a request, by the examples of the documentation.
func TestBranches(t *testing.T) {
	const set = `xlog("$(msg.branch.uri[*])");`
	for _, tc := range []struct{ text, want string }{
		{`append_branch(); seturi("sip:C@domain"); append_branch(); seturi("sip:D@domain");` + set,
			"sip:D@domain,sip:+4930123@example.net:5070;transport=tls;user=phone,sip:C@domain"},
		{`append_branch("sip:user@domain"); xlog("$branch(uri) $(branch(uri)[-1]) $(branch(uri)[1]) $msg.branch.last_idx");`, "sip:user@domain sip:user@domain <null> 1"},
		{`$branch = "sip:new@domain.org"; xlog("last added branch has URI $(branch(uri)[-1]), $branch");`, "last added branch has URI sip:new@domain.org, sip:new@domain.org"},
		{`append_branch(); $du = "sip:192.0.2.50"; force_send_socket("udp:127.0.0.1:5060"); append_branch("sip:foo@bar.com","0.5");
			xlog("$(branch(uri)[1]), $(branch(q)[1]), $(branch(duri)[1]), <$(branch(path)[1])>, <$(branch(flags)[1])>, $(branch(socket)[1])");
			$branch(uri) = "sip:user@domain.ro"; $(branch(q)[0]) = 1000; $(branch(socket)[1]) = NULL; $(branch(duri)[1]) = NULL;
			xlog("$(branch(uri)[*]) $(branch(q)[*]) $(branch(socket)[1]) $(branch(duri)[1])");`,
			"sip:foo@bar.com, 0.5, sip:192.0.2.50, <<null>>, <>, udp:127.0.0.1:5060|sip:user@domain.ro,sip:foo@bar.com 1,0.5 <null> <null>"},
		{`$ru = "sip:r@x"; $msg.branch = "sip:new@domain.org"; $msg.branch.uri = "sip:new_new@domain.org"; $(msg.branch.uri[0]) = "sip:new_RURI@domain.org";` + set + `xlog("$ru $msg.branch.uri $(msg.branch.uri[-2])");`,
			"sip:new_RURI@domain.org,sip:new_new@domain.org|sip:new_RURI@domain.org sip:new_new@domain.org sip:new_RURI@domain.org"},
		{`$msg.branch = "sip:new@domain.org"; $msg.branch.flag(pstn) = 1; $msg.branch.flag(foo) = 1; xlog("Flags are <$msg.branch.flags> <$bf> $(msg.branch.flag(foo)[0])");
			$(msg.branch.flags[0]) = "foo"; $msg.branch.flags = NULL; xlog("<$bf> <$msg.branch.flags>");`, "Flags are <pstn,foo> <> 0|<foo> <>"},
		{`$msg.branch = "sip:new@domain.org"; $msg.branch.attr(name) = "one"; $msg.branch.attr(num) = 5; $var(i) = 1;
			xlog("$msg.branch.attr(name) $msg.branch.attr(num) $(msg.branch.attr(name)[0]) $(msg.branch.attr(name)[$var(i)])"); $msg.branch.attr(name) = NULL; xlog("$msg.branch.attr(name)");`,
			"one 5 <null> one|<null>"},
		{`append_branch("sip:a@127.0.0.1"); append_branch("sip:b@b"); append_branch("sip:c@127.0.0.1");
			$var(i) = 0;
			while ($(branch(uri)[$var(i)]) != null) {
				if ($(branch(uri)[$var(i)]{uri.host}) == "127.0.0.1") { remove_msg_branch($var(i)); } else { $var(i) = $var(i) + 1; }
			}
			xlog("$(branch(uri)[*])");`, "sip:b@b"},
		{`for ($var(u) in $(branch(uri)[*])) { xlog("$var(u)"); } xlog("none");`, "none"},
		{`$branch = "sip:a@a"; $branch = "sip:b@b"; for ($var(u) in $(branch(uri)[*])) { xlog("$var(u)"); }`, "sip:a@a|sip:b@b"},
		{`$ru = "sip:r@x"; $branch = "sip:a@a"; $branch = "sip:b@b"; move_branch(1, 0);` + set, "sip:r@x,sip:b@b"},
		{`$ru = "sip:r@x"; $branch = "sip:a@a"; $branch = "sip:b@b"; move_msg_branch(1, 0, "keep");` + set, "sip:r@x,sip:b@b,sip:b@b"},
		{`$ru = "sip:r@x"; $branch = "sip:a@a"; $branch = "sip:b@b"; move_branch(1);` + set, "sip:b@b,sip:a@a"},
		{`$ru = "sip:r@x"; $branch = "sip:a@a"; $branch = "sip:b@b"; swap_branches(, 1);` + set, "sip:b@b,sip:a@a,sip:r@x"},
		{`$branch = "sip:a@a"; swap_msg_branches(0);` + set, "sip:a@a,sip:+4930123@example.net:5070;transport=tls;user=phone"},
		{`$branch = "sip:a@a"; if (!swap_branches(0, 5) && !move_branch(0, 5) && !remove_branch(5) && !remove_branch(-1)) xlog("no");`, "no"},
		{`$branch = "sip:a@a"; setbflag("NAT_PING", 1); setbflag(1, "X"); if (isbflagset(NAT_PING, 1) && isbflagset(1, "X") && !isbflagset("NAT_PING")) xlog("$msg.branch.flags"); resetbflag(1, "NAT_PING"); xlog("$msg.branch.flags");`, "NAT_PING,X|X"},
		{`$ru_q = 500; setbflag(F); $du = "sip:1.2.3.4"; append_msg_branch("sip:a@a"); append_msg_branch("sip:b@b", "0.25"); append_msg_branch("sip:c@c", , "inherite");
			xlog("$(msg.branch.q[*]) $(msg.branch.flags[*]) $(msg.branch.duri[*]) $ru_q");`, "0.5,,0.25,0.5 F,,,F sip:1.2.3.4,,,sip:1.2.3.4 0.5"},
		{`$ru = "sip:r@x"; $branch = "sip:a@a"; $(branch(q)[0]) = "0.7"; xlog("$ds");`, "Contact: <sip:r@x>, <sip:a@a>;q=0.7"},
		{`if (!force_send_socket("tcp:192.0.2.1:5060")) force_send_socket("main"); xlog("$socket_out");`, "script: force_send_socket(): there is no such socket at=test.cfg:21:6|tls:127.0.0.1:5061"},
		{`$var(n) = 0; while ($var(n) < 12) { if (!append_branch("sip:a@a")) xlog("full at $var(n)"); $var(n) = $var(n) + 1; }`,
			"script: append_branch(): proxy: too many branches at=test.cfg:21:42|full at 11"},
	} {
		if got := strings.Join(runs(t, tc.text), "|"); got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.text, got, tc.want)
		}
	}
}

// TestSerialBranches tries branches one after the other, equal q together.
func TestSerialBranches(t *testing.T) {
	const next = `$var(r) = 0; if (next_branches()) $var(r) = $rc; else $var(r) = -1; xlog("$var(r): $(msg.branch.uri[*])");`
	for _, tc := range []struct{ text, want string }{
		{`$ru = "sip:r@x"; $ru_q = 300; append_branch("sip:a@a", "0.5"); append_branch("sip:b@b", "0.9"); append_branch("sip:c@c", "0.5"); serialize_branches(1); xlog("$(msg.branch.uri[*])");` + next + next + next + next,
			"sip:r@x|1: sip:b@b|1: sip:a@a,sip:c@c|2: sip:r@x|-1: sip:r@x"},
		{`$ru = "sip:r@x"; $branch = "sip:a@a"; serialize_branches(1);` + next, "-1: sip:r@x,sip:a@a"},
		{`$ru = "sip:r@x"; $branch = "sip:a@a"; serialize_branches(1, 1);` + next + next + next, "1: sip:r@x|2: sip:a@a|-1: sip:a@a"},
		{`$ru = "sip:r@x"; $du = "sip:1.2.3.4"; $ru_q = 1000; setbflag(F); $msg.branch.attr(x) = "a\"b"; $msg.branch.attr(n) = 7; $msg.branch.path = "<sip:p;lr>"; $socket_out = "udp:127.0.0.1:5060";
			append_msg_branch("sip:a@a", "0.5"); serialize_branches(1); $ru = "sip:other@y"; $du = NULL; resetbflag(F); $socket_out = NULL; $msg.branch.path = NULL; $msg.branch.attr(x) = NULL;` + next +
			`xlog("$du $ru_q $bf $msg.branch.attr(x) $msg.branch.attr(n) $msg.branch.path $socket_out");` + next + `xlog("$du $ru_q <$bf> $msg.branch.attr(x) $msg.branch.path");`,
			`1: sip:r@x|sip:1.2.3.4 1 F a"b 7 <sip:p;lr> udp:127.0.0.1:5060|2: sip:a@a|<null> 0.5 <> <null> <null>`},
		{`$ru = "sip:r@x"; $branch = "sip:a@a"; serialize_branches(1, 1); $ru = "sip:s@x"; $branch = "sip:b@b"; serialize_branches(0, 1);` + next + next + next + next + next,
			"1: sip:s@x|1: sip:b@b|1: sip:r@x|2: sip:a@a|-1: sip:a@a"},
		{`$avp(serial_branch) = "rubbish"; if (!next_branches()) xlog("no");`, "script: next_branches(): a value of $avp(serial_branch) is no branch: proxy: not a URI at=test.cfg:21:39|no"},
	} {
		if got := strings.Join(runs(t, tc.text), "|"); got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.text, got, tc.want)
		}
	}
}

// TestBranchErrors are told when the configuration is loaded.
func TestBranchErrors(t *testing.T) {
	for text, want := range map[string]string{
		`append_branch("sip:a@a", "2");`:               "q is 0 to 1 with up to three digits behind the point, not 2",
		`append_msg_branch("sip:a@a", "0.5", "heir");`: `append_msg_branch() has the flag "inherit", not "heir"`,
		`append_msg_branch();`:                         "takes 1 to 3 arguments",
		`move_branch(0, 1, "leave");`:                  `expected "keep"`,
	} {
		_, err := compile("x.cfg", []byte(allModules+"route { "+text+" }"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got: %v\nwant: %s", text, err, want)
		}
	}
}

// TestQ reads what stands behind ;q= in a Contact.
func TestQ(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "1": 1000, "0.5": 500, "0.05": 50, "0.005": 5, "1.000": 1000, "1.001": -1, "2": -1, "": -1, ".5": -1, "0.5x": -1, "0.0005": -1, "-0": -1} {
		q, ok := parseQ([]byte(text))
		if !ok {
			q = -1
		}
		if q != want {
			t.Errorf("%q: %d, want %d", text, q, want)
		}
		if back, _ := parseQ(appendQ(nil, max(q, 0))); back != max(q, 0) {
			t.Errorf("%d reads as %d", q, back)
		}
	}
}
