package script

import (
	"strings"
	"testing"
)

// TestCoreValues are functions and variables of the core, by the documentation.
func TestCoreValues(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{`$var(proto) = "sip"; $var(domain) = "example.org"; $var(params) = "transport=tcp";
			construct_uri("$var(proto)", "vlad", "$var(domain)", "", "$var(params)",$avp(s:newuri)); xlog("Constructed URI is <$avp(s:newuri)>");
			construct_uri("sips", , "h", "5061", , $var(u)); xlog("$var(u)"); if (!construct_uri("sip", "a b", "", "", "", $var(u))) xlog("no");`,
			"Constructed URI is <sip:vlad@example.org;transport=tcp>|sips:h:5061|script: construct_uri(): the scheme or the domain is empty at=test.cfg:23:75|no"},
		{`get_timestamp($avp(sec), $var(usec)); if ($avp(sec) >= $Ts && $var(usec) >= 0 && $var(usec) < 1000000) xlog("ok");`, "ok"},
		{`pv_printf($var(x), "r-uri: $rU"); pv_printf($rU, "bob"); xlog("$var(x) $ru");`, "r-uri: +4930123 sip:bob@example.net:5070;transport=tls;user=phone"},
		{`$avp(a) = 1; $avp(a) = "two"; avp_print();`, "script: $avp(a) = two at=test.cfg:21:31"},
		{`setuserpass("secret"); xlog("$ru"); rewriteuserpass("x y");`, "sip:+4930123:secret@example.net:5070;transport=tls;user=phone|script: rewriteuserpass(): proxy: not a URI at=test.cfg:21:37"},
		{`$du = "sip:a@[::1]:5080;transport=udp?x=y"; $dd = "b.example"; xlog("$du"); $dp = 5090; xlog("$du"); $dP = "tcp"; xlog("$du"); $du = "sip:c"; $dp = "1"; $dP = "tls"; xlog("$du"); $du = NULL; $dp = 5;`,
			"sip:a@b.example:5080;transport=udp?x=y|sip:a@b.example:5090;transport=udp?x=y|sip:a@b.example:5090;transport=tcp?x=y|sip:c:1;transport=tls|script: assignment to $dp: there is no destination URI at=test.cfg:21:192"},
		{`$xlog_level = L_WARN; xlog("L_INFO", "unseen"); xlog(L_ERR, "seen $xlog_level"); $xlog_level = NULL; xlog("L_INFO", "again $xlog_level");`, "seen 1|again 4"},
		{`xlog("$(hdr_name[0]) $(hdr_name[-1]) $(hdr_name[99])");`, "Via Content-Length <null>"},
		{`route(A, 1);`, "route[B] route[A] route route[B]|route > route[A] > route[B]|B A <null>|route route"},
		{`$var(x) = "abc"; xlog("$(var(x){s.crc32}) $(var(x){s.sha1}) $(var(x){s.sha1_hmac,secret})");`, "891568578 a9993e364706816aba3e25717850c26c9cd0d89d 694abd10842d161ddbc54df8a0d57cf64d0dbcc9"},
		{`$var(x) = "abc"; xlog("$(var(x){s.sha256}) $(var(x){s.sha224}{s.len}) $(var(x){s.sha384}{s.len}) $(var(x){s.sha512_hmac,$var(x)}{s.len})");`, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 56 96 128"},
		{`$var(l) = "\"first\" <sip:first@opensips.org>, \"second\" <sip:second@opensips.org>;x=1"; xlog("$(var(l){nameaddr.0.name}{s.trim}) $(var(l){nameaddr.1.uri}) $(var(l){nameaddr.-1.param,x}) $(var(l){nameaddr.5.uri})");`, `"first" sip:second@opensips.org 1 <null>`},
		{`$var(v) = "SIP/2.0/UDP h;branch=z9hG4bK1 (a comment)"; xlog("$(var(v){via.comment})");`, "a comment"},
		{`$var(i) = "192.0.2.7"; xlog("$(var(i){ip.resolve})"); $var(i) = "no such name"; xlog("$(var(i){ip.resolve})");`, "192.0.2.7|<null>"},
		{`script_trace(3, "$rm from $si", "me"); setflag(A); if ($rm == "INVITE") { $var(x) = 1; } script_trace(); $var(y) = 1;`,
			"[line 21][me][core setflag] -> (INVITE from 10.0.0.9) file=test.cfg|[line 21][me][core if] -> (INVITE from 10.0.0.9) file=test.cfg|[line 21][me][core assign] -> (INVITE from 10.0.0.9) file=test.cfg|[line 21][me][core script_trace] -> (INVITE from 10.0.0.9) file=test.cfg"},
	} {
		b := newBench(t, allModules+"route {\n"+tc.text+`
}
route[A] { route(B); }
route[B] { xlog("$route $(route[1]) $(route[-1]) $(route[-3])"); xlog("$(route[*])"); xlog("$route.name $(route.name[1]) $(route.name[3])"); xlog("$route.type $(route.type[-1])"); }
`)
		b.receive(invite)
		if got := strings.Join(b.log, "|"); got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.text, got, tc.want)
		}
	}
}

// TestChallengeVariables are those of the challenge in a response.
func TestChallengeVariables(t *testing.T) {
	b := newBench(t, allModules+`route { forward("tls:10.0.0.1:5061"); } onreply_route { xlog("$challenge.realm $challenge.nonce $challenge.algorithm $challenge.qop $challenge.opaque $challenge.ik"); }`)
	b.receive(invite)
	b.receive([]byte(strings.Replace(strings.Replace(b.peer.sent[0].text, b.peer.sent[0].text[:strings.Index(b.peer.sent[0].text, "\r\n")], "SIP/2.0 407 Proxy Authentication Required", 1),
		"Max-Forwards: 68\r\n", "Proxy-Authenticate: Digest realm=\"atlanta.example\", nonce=\"f84f\", algorithm=MD5, qop=\"auth,auth-int\"\r\n", 1)))
	if got := strings.Join(b.log, "|"); got != "atlanta.example f84f MD5 auth,auth-int <null> <null>" {
		t.Error(got)
	}
}

// TestViaHandling has our Via and the client's carry rport.
func TestViaHandling(t *testing.T) {
	for text, want := range map[string]string{
		`add_local_rport();`: ";rport\r\n",
		`set_via_handling("add-local-rport, force-rport");`:   ";rport\r\n",
		`send("tls:10.0.0.1:5061", "X-More: $rU\r\n"); exit;`: "X-More: +4930123\r\n",
	} {
		b := newBench(t, allModules+"route {\n"+text+"\nforward(\"tls:10.0.0.1:5061\"); }")
		b.receive(invite)
		if len(b.peer.sent) != 1 || !strings.Contains(b.peer.sent[0].text, want) {
			t.Errorf("%s: %v", text, b.peer.sent)
		}
	}
	for text, want := range map[string]string{
		`set_via_handling("reply-to-via");`: "reply-to-via is not supported",
		`set_via_handling("rport");`:        `"rport" is no flag of set_via_handling()`,
		`construct_uri("sip", "u");`:        "takes 6 arguments, not 2", `construct_uri("sip", "u", , , , $var(x));`: "needs a scheme, a domain and a variable",
		`script_trace(1);`:                     "takes a level and a text, or nothing",
		`$var(x) = $(var(y){nameaddr.x.uri});`: "unknown transformation {nameaddr.x.uri}",
	} {
		if _, err := compile("x.cfg", []byte(allModules+"route { "+text+" }")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got: %v\nwant: %s", text, err, want)
		}
	}
}
