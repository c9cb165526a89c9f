package script

import (
	"strings"
	"testing"
)

// TestVariablesOfThere are variables that configurations have.
func TestVariablesOfThere(t *testing.T) {
	message := withBody("", "", `Authorization: Digest username="bob@biloxi.example", realm="biloxi.example", nonce="dcd98b", uri="sip:biloxi.example", qop=auth, nc=00000001, cnonce="0a4f", response="6629", opaque="5ccc", algorithm=MD5`,
		`Contact: "Second, one" <sip:b@10.0.0.8;x=1>;q=0.5;expires=60;methods="INVITE";received="sip:10.0.0.7"`,
		"P-Asserted-Identity: \"A\" <sip:+49@trunk.example>", "P-Preferred-Identity: \"B\" <sip:pp@pref.example>",
		"Diversion: <sip:div@d.example>;reason=user-busy;privacy=full", "Remote-Party-ID: <sip:rpid@r.example>;party=calling", "Path: <sip:p1;lr>")
	for text, want := range map[string]string{
		"$au": "bob", "$aU": "bob@biloxi.example", "$ad": "biloxi.example", "$ar": "biloxi.example", "$an": "dcd98b", "$adu": "sip:biloxi.example", "$Au": "bob",
		"$auth.resp $auth.nonce $auth.cnonce $auth.opaque $auth.alg $auth.qop $auth.nc": "6629 dcd98b 0a4f 5ccc MD5 auth 00000001",
		"$pr $src_ip $ruri.user $ruri.domain $from.user $to.domain $fs":                 "tls 10.0.0.9 +4930123 example.net alice example.net <null>",
		"$ct": "<sip:alice@10.0.0.9:5061;transport=tls>", "$(ct[1])": `"Second, one" <sip:b@10.0.0.8;x=1>;q=0.5;expires=60;methods="INVITE";received="sip:10.0.0.7"`, "$(ct[2])": "<null>",
		"$ct.fields(uri)": "sip:alice@10.0.0.9:5061;transport=tls", "$(ct.fields(uri)[-1])": "sip:b@10.0.0.8;x=1", "$(ct.fields(name)[1])": `"Second, one"`,
		"$(ct.fields(q)[1]) $(ct.fields(expires)[1]) $(ct.fields(methods)[1]) $(ct.fields(received)[1])": "0.5 60 INVITE sip:10.0.0.7",
		"$ct.fields(q)": "<null>", "$(ct.fields(params)[1]{param.value,q})": "0.5", "$(ct.fields(uri){uri.domain})": "10.0.0.9", "$(ct[1]{nameaddr.uri})": "sip:b@10.0.0.8;x=1",
		"$ai $pu $pU $pd $pn": `sip:+49@trunk.example sip:pp@pref.example pp pref.example "B"`, "$di $dir $dip $re $path": "sip:div@d.example user-busy full sip:rpid@r.example <sip:p1;lr>",
		"<$mf> <$bf>": "<A C> <B>", "$msg.flag(A) $msg.flag(X) $branch.flag(B)": "1 0 1", "$msg.is_request $msg.type": "1 request", "$msg.branch.flags $msg.branch.flag(B)": "B 1",
		"$msg.branch.uri": "sip:x@y.example", "$msg.branch.socket $(msg.branch.uri[0]) $(msg.branch.uri[1]) $msg.branch": "<null> sip:x@y.example <null> sip:x@y.example", "$msg.branch.duri $msg.branch.last_idx $msg.branch.q": "sip:127.0.0.1:5081 0 <null>",
		"$msg.branch.attr(a)": "5", "$C(bg)x$C(xx)": "x", "$tm": "<null>",
		"$(<request>ci) $(<reply>ci)": "a84b4c76e66710@pc33 <null>", "$(hdr(Via)[0]{via.transport}) $(hdr(Via){via.host}) $(hdr(Via){via.port})": "TLS 10.0.0.9 5061",
		"$(hdr(Via){via.name})/$(hdr(Via){via.version})": "SIP/2.0", "$(hdr(Via){via.branch}) $(hdr(Via){via.param,rport}) $(hdr(Via){via.received})": "z9hG4bK776asdhds  <null>",
	} {
		branch := ""
		if strings.Contains(text, "$msg.branch") {
			branch = `$msg.branch.uri = "sip:x@y.example";`
		}
		b := newBench(t, allModules+`route {
	setflag(A); setflag(B); $msg.flag(B) = 0; $msg.flag(C) = 1; $msg.branch.flag(B) = 1;
	$msg.branch.attr(a) = 5; $msg.branch.duri = "sip:127.0.0.1:5081";
	`+branch+`
	xlog("`+text+`"); }`)
		b.receive(message)
		if got := b.log[len(b.log)-1]; got != want {
			t.Errorf("%s: got %q, want %q", text, b.log, want)
		}
	}
	if got := strings.Join(runs(t, `if ($TS > 1000000000 && $TS <= $Ts) xlog("started");`), "|"); got != "started" {
		t.Error(got)
	}
	if got := strings.Join(runs(t, `xlog("$au $Au $ar");`), "|"); got != "<null> alice <null>" {
		t.Errorf("without credentials: %s", got)
	}
}

// TestVariablesRefused tells why a variable is not to be had.
func TestVariablesRefused(t *testing.T) {
	for text, want := range map[string]string{
		`xlog("$proxy_protocol(src_ip)");`:  "$proxy_protocol is not supported: the PROXY protocol is not supported in this version",
		`$(msg.branch[1]) = "sip:a@b";`:     "takes no index where it is assigned to: that appends a branch",
		`$(msg.branch.uri[*]) = "sip:a@b";`: "is one branch's: its index is a number or a variable",
		`xlog("$branch(nick)");`:            "$branch has no field nick",
		`xlog("$ct.fields(nick)");`:         "$ct.fields has no field nick",
		`xlog("$(<dialog>ci)");`:            "a variable is that of <request> or of <reply>",
		`$(<reply>ru) = "sip:a@b";`:         "a message is changed where it is at hand",
		`$msg.branch.last_idx = 1;`:         "cannot be assigned to",
	} {
		_, err := compile("x.cfg", []byte(allModules+"route { "+text+" }"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got: %v\nwant: %s", text, err, want)
		}
	}
	cfg, err := compile("x.cfg", []byte(allModules+`route { xlog("$tm"); } onreply_route { xlog("$(<request>ru) $(<reply>rs)"); }`))
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	for _, n := range cfg.Notes {
		notes = append(notes, n.Msg)
	}
	if all := strings.Join(notes, "\n"); !strings.Contains(all, "$tm is NULL: no documentation") || !strings.Contains(all, "$(<request>ru) is NULL in onreply_route") {
		t.Errorf("notes: %s", all)
	}
}

// TestSDPTransforms are those of class sdp.
func TestSDPTransforms(t *testing.T) {
	audio := offer[strings.Index(offer, "m=audio"):strings.Index(offer, "m=video")]
	video := offer[strings.Index(offer, "m=video"):]
	for chain, want := range map[string]string{
		"{sdp.line,m}": "m=audio 40000 RTP/AVP 8 0 96 97 101", "{sdp.line,m,1}": "m=video 40002 RTP/AVP 98", "{sdp.line,m,2}": "<null>", "{sdp.line,a,1}": "a=fmtp:96 mode=any", "{sdp.line, c}": "c=IN IP4 10.0.0.9",
		"{sdp.stream,0}": audio, "{sdp.stream,-1}": video, "{sdp.stream,video}": video, "{sdp.stream,2}": "<null>", "{sdp.stream,image}": "<null>",
		"{sdp.stream-delete,video}": strings.TrimSuffix(offer, video), "{sdp.stream-delete,0}": strings.Replace(offer, audio, "", 1), "{sdp.stream-delete,5}": "<null>",
	} {
		b := newBench(t, allModules+"route { xlog(\"$(rb"+chain+")\"); }")
		b.receive(withBody("application/sdp", offer))
		want = strings.TrimRight(strings.ReplaceAll(want, "\n", "\r\n"), "\n")
		if got := strings.Join(b.log, "|"); got != want {
			t.Errorf("%s: got %q, want %q", chain, got, want)
		}
	}
}
