package script

import (
	"strings"
	"testing"
)

// logged runs statements and gives the lines they logged, joined by |.
func logged(t *testing.T, statements string) string {
	t.Helper()
	return strings.Join(runs(t, statements), "|")
}

func TestExpressions(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{"2 + 3 * 4", "20"},
		{"2 + (3 * 4)", "14"},
		{"7 / 2", "3"}, {"-7 / 2", "-3"}, {"7 % 4", "3"},
		{"1 << 4 >> 1", "8"}, {"6 & 3", "2"}, {"6 | 1", "7"}, {"6 ^ 3", "5"}, {"~5", "-6"},
		{`"a" + "b" + "c"`, "abc"},
		{`"sip:" + $rU + "@" + $rd + ":" + $rp`, "sip:+4930123@example.net:5070"},
		{`"n" + 5`, "n5"},
		{`"x" + NULL + "y"`, "xy"},
		{`$hdr(None) + "y"`, "y"},
		{"5 + NULL", "5"},
		{"5 + $hdr(None)", "5"},
		{"$rp + 1", "5071"},
		{"$rp == 5070", "1"}, {"$rp == 1", "0"},
		{`is_method("INVITE")`, "1"}, {`is_method("BYE")`, "-1"},
		{"$ml > 10 && $rp == 5070", "1"},
		{"!$rp", "0"},
		{"0x10 + 010", "24"},
		{`"\x41\t\\" + '\t'`, "A\t\\\\t"},
	} {
		if got := logged(t, `$var(x) = `+tt.expr+`; xlog("$var(x)");`); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.expr, got, tt.want)
		}
	}
}

func TestConditions(t *testing.T) {
	for _, tt := range []struct {
		cond string
		want bool
	}{
		{`$rU == "+4930123"`, true}, {`$rd == "EXAMPLE.net"`, true}, {`$rd != "example.NET"`, false},
		{`$rd > "a"`, true}, {`$rd < "a"`, false}, {`$rd >= "example.net"`, true}, {`$rd <= "examp"`, false},
		{`$rp == "5070"`, true}, {`$rp > 5069`, true}, {`$rp <= 5069`, false},
		// A text is not compared with a number: neither holds, as there.
		{`$rU == 5`, false}, {`$rU != 5`, false}, {`!($rU == 5)`, false},
		{`$rU == 5 || $rm == "INVITE"`, false},
		// NULL.
		{`$hdr(None) == NULL`, true}, {`$hdr(None) != NULL`, false}, {`$hdr(Via) == NULL`, false}, {`$hdr(Via) != NULL`, true},
		{`$hdr(None) == "x"`, false}, {`$hdr(None) != "x"`, true}, {`$hdr(None) < "x"`, false},
		{`$hdr(None) == $hdr(Nope)`, true}, {`$hdr(None) != $hdr(Nope)`, false}, {`$hdr(None) == $rU`, false}, {`$hdr(None) != $rU`, true},
		{`$hdr(None) =~ "x"`, false}, {`$hdr(None) !~ "x"`, true},
		{`$hdr(None) == 5`, false}, {`$hdr(None) != 5`, true},
		{`$hdr(None) == 10.0.0.0/8`, false}, {`$hdr(None) != 10.0.0.0/8`, true},
		{`$hdr(None)`, false}, {`$hdr(Via)`, true}, {`!$hdr(None)`, true}, {`$var(zero)`, false},
		// Regular expressions: no case, POSIX sets.
		{`$rU =~ "^\+49"`, true}, {`$rd =~ "^EXAMPLE\.(net|org)$"`, true}, {`$rU =~ '^[\+0-9]+$'`, true},
		{`$rU !~ "^00"`, true}, {`$ci =~ $var(re)`, true}, {`$ci !~ $var(re)`, false},
		{`$ua =~ "[[:digit:]]\.0"`, true}, {`$mb =~ "invite.*via"`, true}, {`$ua =~ "\<tester\>"`, true}, {`$ua =~ "\<test\>"`, false},
		// Addresses.
		{`$si == 10.0.0.9`, true}, {`$si == 10.0.0.0/8`, true}, {`$si == 10.0.0.0/255.255.0.0`, true}, {`$si != 192.168.0.0/16`, true},
		{`$si == [::1]`, false}, {`$rd == 10.0.0.0/8`, false}, {`$rd != 10.0.0.0/8`, false},
		// Us.
		{`$ru == myself`, false}, {`$Ri == myself`, true}, {`$var(me) == myself`, true}, {`$var(me) != myself`, false}, {`$hdr(None) == myself`, false},
		// Joined: one level, from left to right.
		{`$rm == "INVITE" || $rm == "BYE" && $rp == 1`, false},
		{`$rp == 1 && $rm == "INVITE" || $rm == "INVITE"`, true},
		{`not $rp == 1 and $rm == "INVITE"`, true},
		{`[$rp & 1] == 0`, true}, {`($rp + 1) == 5071`, true},
		{`1`, true}, {`0`, false}, {`yes`, true},
		{`route(good)`, true}, {`route(bad)`, false}, {`!route(bad)`, true},
	} {
		b := newBench(t, allModules+`
route {
	$var(zero) = 0;
	$var(re) = "^A84B";
	$var(me) = "sip:someone@example.org;transport=tls";
	if (`+tt.cond+`) xlog("yes"); else xlog("no");
}
route[good] { return(1); }
route[bad] { return(-1); }
`)
		b.receive(invite)
		if got := b.log[len(b.log)-1] == "yes"; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.cond, got, tt.want)
		}
	}
}

func TestMessageVariables(t *testing.T) {
	for _, tt := range []struct{ v, want string }{
		{"$ru", "sip:+4930123@example.net:5070;transport=tls;user=phone"}, {"$rU", "+4930123"}, {"$rd", "example.net"},
		{"$rp", "5070"}, {"$rP", "tls"}, {"$rm", "INVITE"}, {"$rs", "<null>"}, {"$rr", "<null>"}, {"$rv", "SIP/2.0"},
		{"$ou", "sip:+4930123@example.net:5070;transport=tls;user=phone"}, {"$oU", "+4930123"}, {"$od", "example.net"}, {"$op", "5070"}, {"$oP", "tls"},
		{"$fu", "sip:alice@atlanta.example;x=1"}, {"$fU", "alice"}, {"$fd", "atlanta.example"}, {"$ft", "1928301774"}, {"$fn", `"Alice A."`},
		{"$tu", "sip:+4930123@example.net"}, {"$tU", "+4930123"}, {"$td", "example.net"}, {"$tt", "<null>"}, {"$tn", "<null>"},
		{"$ci", "a84b4c76e66710@pc33"}, {"$cs", "314159"}, {"$ct", "<sip:alice@10.0.0.9:5061;transport=tls>"}, {"$ua", "tester 1.0"},
		{"$cT", "application/sdp"}, {"$cl", "14"}, {"$rt", "<null>"},
		{"$si", "10.0.0.9"}, {"$sp", "40000"}, {"$Ri", "127.0.0.1"}, {"$Rp", "5061"}, {"$proto", "tls"}, {"$af", "INET"},
		{"$socket_in", "tls:127.0.0.1:5061"}, {"$socket_in(ip)", "127.0.0.1"}, {"$socket_in(port)", "5061"}, {"$socket_in(proto)", "tls"},
		{"$socket_in(af)", "INET"}, {"$socket_in(tag)", "main"}, {"$socket_in(anycast)", "0"},
		{"$socket_in(advertised_ip)", "edge.example.org"}, {"$socket_in(advertised_port)", "5061"}, {"$socket_out", "<null>"}, {"$socket_out(ip)", "<null>"},
		{"$du", "<null>"}, {"$dd", "<null>"},
		{"$hdr(P-Note)", "one"}, {"$hdr(p-note)[1]", "two, three"}, {"$(hdr(P-Note)[2])", "last"}, {"$(hdr(P-Note)[3])", "<null>"},
		{"$(hdr(P-Note)[-1])", "last"}, {"$(hdr(P-Note)[-3])", "one"}, {"$(hdr(P-Note)[-4])", "<null>"}, {"$(hdr(P-Note)[*])", "one,two, three,last"},
		{"$(hdr(None)[*])", "<null>"}, {"$hdr(m)", "<sip:alice@10.0.0.9:5061;transport=tls>"}, {"$hdr(Call-ID)", "a84b4c76e66710@pc33"},
		{"$hdrcnt(P-Note)", "3"}, {"$hdrcnt(None)", "0"}, {"$rb", "v=0\r\no=- 1 1 x"},
		{"$$", "$"}, {"a$$b", "a$b"}, {"$cfg_file:$cfg_line", "test.cfg:21"}, {"$retcode", "1"}, {"$rc", "1"},
		{"$err.info", "<null>"}, {"$env(SIPREACTOR_T)", "from env"}, {"$env(SIPREACTOR_NOT_SET)", "<null>"},
		{"$log_level $xlog_level", "2 4"}, {"$param(1)", "<null>"}, {"$return(0)", "<null>"},
	} {
		t.Setenv("SIPREACTOR_T", "from env")
		if got := logged(t, `xlog("`+tt.v+`");`); got != strings.TrimRight(tt.want, "\r\n") {
			t.Errorf("%s: got %q, want %q", tt.v, got, tt.want)
		}
	}
}

func TestIPv6Source(t *testing.T) {
	b := newBench(t, allModules+`route { xlog("$si $Ri $socket_in $af"); }`)
	b.src.Remote, b.src.Local = mustAddrPort("[2001:db8::9]:40000"), mustAddrPort("[::1]:5061")
	b.receive(invite)
	if got := strings.Join(b.log, "|"); got != "2001:db8::9 ::1 tls:[::1]:5061 INET6" {
		t.Error(got)
	}
}

func TestReplyVariables(t *testing.T) {
	b := newBench(t, allModules+`
route { record_route(); forward("127.0.0.1:5081"); }
onreply_route {
	xlog("$rs $rr $rm $cs $ru $tt");
	if ($rs == 200 && $rs >= "200" && is_method("INVITE")) xlog("answered");
	append_hf("X-Seen: yes\r\n");
	if ($rs == 180) drop;
}`)
	b.receive(invite)
	if len(b.peer.sent) != 1 {
		t.Fatalf("sent %v, log %v", b.peer.sent, b.log)
	}
	reply := func(status string) {
		text := strings.Replace(b.peer.sent[0].text, b.peer.sent[0].text[:strings.Index(b.peer.sent[0].text, "\r\n")], "SIP/2.0 "+status, 1)
		head, _, _ := strings.Cut(text, "Content-Type")
		head = strings.Replace(head, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=77", 1)
		kept := b.peer.sent
		b.receive([]byte(head + "Content-Length: 0\r\n\r\n"))
		if len(b.peer.sent) == 0 {
			b.peer.sent = append(kept, sent{})
			return
		}
		got := b.peer.sent[0].text
		b.peer.sent = kept
		if !strings.Contains(got, "X-Seen: yes\r\n") {
			t.Errorf("forwarded:\n%s", got)
		}
	}
	first := b.peer.sent
	reply("200 Fine")
	if got := strings.Join(b.log, "|"); got != "200 Fine INVITE 314159 <null> 77|answered" {
		t.Error(got)
	}
	b.peer.sent = first
	reply("180 Ringing")
	if len(b.peer.sent) != 2 {
		t.Errorf("a dropped 180 was forwarded")
	}
}
