package script

import (
	"errors"
	"strings"
	"testing"
)

// header gives the values of a header in what was sent, joined by |.
func (s sent) header(name string) string {
	var all []string
	head, _, _ := strings.Cut(s.text, "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			all = append(all, strings.TrimSpace(v))
		}
	}
	return strings.Join(all, "|")
}

// TestFunctions calls each function; the code of the call is what it logs.
func TestFunctions(t *testing.T) {
	for _, tt := range []struct{ call, want string }{
		{`is_method("INVITE|ACK")`, "1"}, {`is_method("BYE | ACK")`, "-1"}, {`is_method("invite")`, "1"}, {`is_method($var(m))`, "1"}, {`is_method("X-OWN")`, "-1"},
		{`has_totag()`, "-1"}, {`has_body()`, "1"}, {`has_body("application/SDP")`, "1"}, {`has_body("text/plain")`, "-1"},
		{`is_present_hf("P-Note")`, "1"}, {`is_present_hf("i")`, "1"}, {`is_present_hf("None")`, "-1"}, {`is_present_hf($hdr(None))`, "-1"},
		{`mf_process_maxfwd_header(10)`, "1"}, {`mf_process_maxfwd_header("10")`, "1"}, {`is_maxfwd_lt(70)`, "1"}, {`is_maxfwd_lt(69)`, "-1"},
		{`loose_route()`, "-1"}, {`check_route_param("nat=yes")`, "-1"}, {`is_direction("downstream")`, "1"}, {`is_direction("upstream")`, "-1"},
		{`record_route()`, "1"}, {`record_route(";nat=yes")`, "1"}, {`record_route("bad param")`, "-1"}, {`add_rr_param(";x=1")`, "1"}, {`add_rr_param("x")`, "-1"},
		{`is_myself("127.0.0.1")`, "1"}, {`is_myself("127.0.0.1", 5061)`, "1"}, {`is_myself("127.0.0.1", 9)`, "-1"}, {`is_myself("example.org")`, "1"}, {`is_myself($rd)`, "-1"}, {`is_myself($rd, $hdr(None))`, "-1"},
		{`setflag(A)`, "1"}, {`isflagset(A)`, "-1"}, {`resetflag("A")`, "1"}, {`setbflag(B)`, "1"}, {`isbflagset(B)`, "-1"}, {`resetbflag(B)`, "1"}, {`setbranchflag(B)`, "1"},
		{`force_tcp_alias()`, "-1"}, {`add_tcp_alias(5061)`, "-1"}, {`force_tcp_alias("70000")`, "-1"}, {`tcp_close_conn()`, "-1"}, {`tcp_close_conn("tls:10.0.0.1:5061")`, "-1"},
		{`force_rport()`, "1"}, {`add_rport()`, "1"},
		{`seturi("sip:a@b")`, "1"}, {`seturi("nothing")`, "-1"}, {`setuser("bob")`, "1"}, {`sethost("h.example")`, "1"}, {`sethostport("h:99")`, "1"}, {`setport(5080)`, "1"}, {`setport("99999")`, "-1"},
		{`prefix("00")`, "1"}, {`strip(1)`, "1"}, {`strip_tail(2)`, "1"}, {`strip(-1)`, "-1"}, {`revert_uri()`, "1"},
		{`setdsturi("sip:127.0.0.1:5081")`, "1"}, {`isdsturiset()`, "-1"}, {`resetdsturi()`, "1"},
		{`append_hf("X-A: 1\r\n")`, "1"}, {`append_hf("X-A: 1", "Via")`, "1"}, {`append_hf("no $var(x) header")`, "-1"}, {`append_hf("X: a\r\nY: b\r\n")`, "1"}, {`append_hf("X: a\r\n\r\nevil $var(x)")`, "-1"}, {`insert_hf("X-A: $ci\r\n")`, "1"},
		{`remove_hf("P-Note")`, "1"}, {`remove_hf("None")`, "-1"}, {`remove_hf_glob("P-*")`, "1"}, {`remove_hf_glob("Q-*")`, "-1"}, {`remove_hf_re("^p-n")`, "1"}, {`append_time()`, "1"},
		{`search("(?!)|INVITE")`, ""}, {`search("^INVITE")`, "1"}, {`search("^CSEQ: [0-9]+ INVITE")`, "1"}, {`search("INVITE.*Via")`, "-1"}, {`search("nowhere")`, "-1"}, {`search_body("^v=0")`, "1"}, {`search_body("INVITE")`, "-1"},
		{`subst('/tester/TESTER/')`, "1"}, {`subst('/nowhere/x/')`, "-1"}, {`subst_uri('/^sip:(.*)$/sip:9\1/')`, "1"}, {`subst_user('/^\+49/0/')`, "1"}, {`subst_user('/x/y/')`, "-1"}, {`subst_body("/v=0/v=1/")`, "1"},
		{`replace("tester", "T")`, "1"}, {`replace_all("P-Note", "P-Other")`, "1"}, {`replace_body("v=0", "v=9")`, "1"}, {`replace_body_all("x", "y")`, "1"}, {`replace("nowhere", "x")`, "-1"},
		{`uri_param("user")`, "-1"}, {`uri_param("user", "phone")`, "1"}, {`uri_param("user", "ip")`, "-1"}, {`uri_param("lr")`, "-1"}, {`add_uri_param("a=1")`, "1"}, {`add_uri_param("lr")`, "1"}, {`del_uri_param("user")`, "1"},
		{`is_uri_user_e164($ru)`, "1"}, {`is_uri_user_e164($fu)`, "-1"},
		{`sl_send_reply(200, "OK")`, "1"}, {`sl_send_reply("486", "Busy $rU")`, "1"}, {`sl_send_reply($rp, "x")`, "-1"}, {`send_reply(404, "Not Found")`, "1"}, {`sl_reply_error()`, "1"},
		{`append_to_reply("X-R: 1\r\n")`, "1"}, {`append_to_reply("bad $var(x)")`, "-1"},
		{`forward()`, "-1"}, {`forward("127.0.0.1:5081")`, "1"}, {`forward($hdr(None))`, "-1"}, {`forward("ws:h:1")`, "-1"}, {`send("tcp:127.0.0.1:5081")`, "1"},
		{`xlog("L_ALERT", "")`, "1"}, {`xlog(4, "")`, "1"}, {`xlog($var(nine), "")`, "-1"}, {`xdbg("")`, "1"}, {`log("")`, "1"}, {`log(1, "")`, "1"},
	} {
		if tt.want == "" {
			continue
		}
		b := newBench(t, allModules+`route { $var(m) = "BYE|INVITE"; $var(nine) = 9; `+tt.call+`; xlog("code $rc"); }`)
		b.receive(invite)
		if got := b.log[len(b.log)-1]; got != "code "+tt.want {
			t.Errorf("%s: got %q, want %s; log %v", tt.call, got, tt.want, b.log)
		}
	}
}

// forwarded runs statements, forwards and gives what was sent.
func forwarded(t *testing.T, statements string) sent {
	t.Helper()
	b := newBench(t, allModules+"route {\n"+statements+"\nforward(\"tls:127.0.0.1:5081\");\n}")
	b.receive(invite)
	if len(b.peer.sent) != 1 {
		t.Fatalf("%s: sent %d, log %v", statements, len(b.peer.sent), b.log)
	}
	return b.peer.sent[0]
}

func firstLine(s sent) string { l, _, _ := strings.Cut(s.text, "\r\n"); return l }

func TestRequestURIChanges(t *testing.T) {
	for src, want := range map[string]string{
		``:                           "sip:+4930123@example.net:5070;transport=tls;user=phone",
		`$ru = "sip:bob@h";`:         "sip:bob@h",
		`$rU = "bob";`:               "sip:bob@example.net:5070;transport=tls;user=phone",
		`$rU = NULL;`:                "sip:example.net:5070;transport=tls;user=phone",
		`$rd = "h.example";`:         "sip:+4930123@h.example:5070;transport=tls;user=phone",
		`$rp = 6000;`:                "sip:+4930123@example.net:6000;transport=tls;user=phone",
		`$rp = NULL;`:                "sip:+4930123@example.net;transport=tls;user=phone",
		`$rP = "tcp";`:               "sip:+4930123@example.net:5070;user=phone;transport=tcp",
		`$rP = NULL;`:                "sip:+4930123@example.net:5070;user=phone",
		`strip(3); prefix("0");`:     "sip:030123@example.net:5070;transport=tls;user=phone",
		`strip_tail(3);`:             "sip:+4930@example.net:5070;transport=tls;user=phone",
		`strip(99);`:                 "sip:example.net:5070;transport=tls;user=phone",
		`subst_user('/^\+49/0/');`:   "sip:030123@example.net:5070;transport=tls;user=phone",
		`$ru = "sip:" + $rU + "@x";`: "sip:+4930123@x",
		`$rU = $(rU{s.substr,1,0}); $rU = "00" + $rU; $rU = $rU + "1";`: "sip:0049301231@example.net:5070;transport=tls;user=phone",
		`$ru = "sip:x@y"; revert_uri();`:                                "sip:+4930123@example.net:5070;transport=tls;user=phone",
		`$var(old) = $ru; $ru = "sip:x@y"; $ru = $var(old);`:            "sip:+4930123@example.net:5070;transport=tls;user=phone",
		`$ru = "sip:x@y"; $var(a) = $ru; $var(b) = $rU; $ru = "sip:longer@other"; $ru = "sip:z@q"; $ru = $var(a) + ";b=" + $var(b);`: "sip:x@y;b=x",
	} {
		if got := firstLine(forwarded(t, src)); got != "INVITE "+want+" SIP/2.0" {
			t.Errorf("%s\n got %s\nwant INVITE %s SIP/2.0", src, got, want)
		}
	}
}

func TestHeaderChanges(t *testing.T) {
	for _, tt := range []struct{ src, header, want string }{
		{`append_hf("X-A: $rm $ci\r\n");`, "X-A", "INVITE a84b4c76e66710@pc33"},
		{`append_hf("X-A: 1"); append_hf("X-A: 2\n");`, "X-A", "1|2"},
		{`remove_hf("P-Note");`, "P-Note", ""},
		{`remove_hf_glob("p-n*"); append_hf("P-Note: mine\r\n");`, "P-Note", "mine"},
		{`remove_hf_re("^(p-note|user-agent)$");`, "User-Agent", ""},
		{`subst('/tester ([0-9.]+)/T-\1-$rm/');`, "User-Agent", "T-1.0-INVITE"},
		{`replace_all("P-Note", "P-Other");`, "P-Other", "one|two, three|last"},
		{`mf_process_maxfwd_header(10);`, "Max-Forwards", "68"},
		{`record_route(";a=1"); add_rr_param(";b=2");`, "Record-Route", "<sip:edge.example.org:5061;transport=tls;lr;ftag=1928301774;a=1;b=2>"},
		{`subst_body('/1 1 x/longer/');`, "Content-Length", ""},
	} {
		got := forwarded(t, tt.src).header(tt.header)
		if tt.header == "Content-Length" {
			if got == "14" {
				t.Errorf("%s: Content-Length is still %s", tt.src, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("%s: %s: got %q, want %q", tt.src, tt.header, got, tt.want)
		}
	}
}

func TestInsertPlaces(t *testing.T) {
	text := forwarded(t, `insert_hf("X-First: 1\r\n"); insert_hf("X-Before: 1\r\n", "To"); append_hf("X-After: 1\r\n", "Via"); append_hf("X-Last: 1\r\n");`).text
	order := []string{"X-First", "Via: SIP/2.0/TLS 10.0.0.9", "X-After", "From:", "X-Before", "To:", "Content-Type", "X-Last"}
	at := -1
	for _, h := range order {
		i := strings.Index(text, h)
		if i <= at {
			t.Errorf("%s is not behind the others in\n%s", h, text)
		}
		at = i
	}
}

func TestReplies(t *testing.T) {
	b := newBench(t, allModules+`route { append_to_reply("X-R: $rm\r\n"); sl_send_reply(486, "Busy $rU"); }`)
	b.receive(invite)
	if len(b.peer.sent) != 1 || firstLine(b.peer.sent[0]) != "SIP/2.0 486 Busy +4930123" || b.peer.sent[0].header("X-R") != "INVITE" {
		t.Errorf("%+v", b.peer.sent)
	}
	b = newBench(t, allModules+`route { if (!sl_send_reply(200, "OK")) xlog("none"); }`)
	b.receive([]byte(strings.ReplaceAll(string(invite), "INVITE", "ACK")))
	if len(b.peer.sent) != 0 || strings.Join(b.log, "|") != "none" {
		t.Errorf("an ACK was answered: %+v %v", b.peer.sent, b.log)
	}
}

func TestForwardFails(t *testing.T) {
	b := newBench(t, allModules+`
route {
	if (!forward("tls:127.0.0.1:5081")) {
		xlog("failed $rc");
		sl_reply_error();
	}
}`)
	b.peer.fail = errors.New("refused")
	b.receive(invite)
	if got := strings.Join(b.log, "|"); !strings.Contains(got, "refused") || !strings.Contains(got, "failed -1") {
		t.Error(got)
	}
}

func TestDestination(t *testing.T) {
	b := newBench(t, allModules+`
route {
	if ($rU =~ "^\+49") $du = "sip:127.0.0.1:5081;transport=tls";
	xlog("$du $dd $dp $dP");
	if (!isdsturiset()) xlog("unset");
	forward();
}`)
	b.receive(invite)
	if got := strings.Join(b.log, "|"); got != "sip:127.0.0.1:5081;transport=tls 127.0.0.1 5081 tls" {
		t.Error(got)
	}
	if len(b.peer.sent) != 1 || b.peer.sent[0].target.Addr.String() != "127.0.0.1:5081" || b.peer.sent[0].target.Proto.String() != "tls" {
		t.Errorf("%+v", b.peer.sent)
	}
}

func TestClientDomainAVP(t *testing.T) {
	b := newBench(t, allModules+`
modparam("tls_mgm", "client_tls_domain_avp", "dom")
tcp_no_new_conn_bflag=NO_NEW
route { $avp(dom) = "carrier"; setbflag(NO_NEW); forward("tls:127.0.0.1:5081"); }`)
	b.receive(invite)
	if len(b.peer.sent) != 1 || b.peer.sent[0].target.Domain != "carrier" || !b.peer.sent[0].target.NoNew {
		t.Errorf("%+v", b.peer.sent)
	}
}

func TestLogLevels(t *testing.T) {
	b := newBench(t, strings.Replace(allModules, "xlog_level=4", "xlog_level=2\nlog_prefix=\"edge: \"", 1)+`
route { xlog("L_INFO", "hidden"); xlog("L_NOTICE", "shown\n"); xlog(1, "warned"); log("hidden, too"); log(-1, "plain $ru"); $var(l) = -2; xlog($var(l), "crit"); }`)
	b.receive(invite)
	if got := strings.Join(b.log, "|"); got != "edge: shown|edge: warned|edge: plain $ru|edge: crit" {
		t.Error(got)
	}
	for l, want := range map[LogLevel]string{-3: "ALERT", -2: "CRITICAL", -1: "ERROR", 1: "WARNING", 2: "NOTICE", 3: "INFO", 4: "DBG"} {
		if l.String() != want {
			t.Errorf("level %d is %s, want %s", int(l), l, want)
		}
		if back, ok := parseLevel(want); !ok || back != l {
			t.Errorf("%s is read as %v", want, back)
		}
	}
	for a := LevelAlert; a < LevelDebug; a++ {
		if a.Slog() < (a + 1).Slog() {
			t.Errorf("the order of %v and %v is lost", a, a+1)
		}
	}
}
