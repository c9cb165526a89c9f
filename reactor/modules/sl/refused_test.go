package sl_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
)

// What cannot be read goes to the error_route, which may answer it; if it does not, or there is none, the answer is ours.
// It is sent nowhere else.
func TestRefused(t *testing.T) {
	const head = "INVITE sip:bob@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK1\r\n"
	const rest = "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\n"
	routes := `
route { sl_send_reply(200, "OK"); }
error_route { xlog("$err.class $err.rcode $err.rreason|$err.info|$rm"); forward("tls:192.0.2.7"); % }
`
	for name, c := range map[string]struct{ message, do, status, log string }{
		"answered by the route":  {head + rest + "CSeq: x\r\n\r\n", `sl_send_reply(480, "Try Later");`, "480", "1 400 Bad CSeq|Bad CSeq|INVITE"},
		"with what is proposed":  {head + rest + "CSeq: x\r\n\r\n", `sl_send_reply($err.rcode, $err.rreason);`, "400", "1 400 Bad CSeq|Bad CSeq|INVITE"},
		"not answered":           {head + rest + "CSeq: x\r\n\r\n", "", "400", "1 400 Bad CSeq|Bad CSeq|INVITE"},
		"another version":        {strings.Replace(head, "SIP/2.0\r", "SIP/7.0\r", 1) + rest + "CSeq: 1 INVITE\r\n\r\n", "", "505", "1 505 Version Not Supported|"},
		"an ACK gets no answer":  {strings.ReplaceAll(head, "INVITE", "ACK") + rest + "CSeq: x\r\n\r\n", `sl_send_reply(480, "No");`, "", "1 0 Bad CSeq|Bad CSeq|ACK"},
		"nothing to answer with": {"INVITE sip:bob@192.0.2.9 SIP/2.0\r\n" + rest + "\r\n", `sl_send_reply(480, "No");`, "", "1 0 "},
		"in order":               {head + rest + "CSeq: 1 INVITE\r\n\r\n", "", "200", ""},
		"a response":             {"SIP/2.0 200 OK\r\nCSeq: x\r\n\r\n", "", "", ""},
	} {
		b := moduletest.New(t, moduletest.Head("sl")+strings.Replace(routes, "%", c.do, 1), sl.New)
		b.Receive([]byte(c.message))
		got := ""
		for _, l := range b.Log {
			if strings.HasPrefix(l, "1 ") {
				got = l
			}
		}
		if b.Status() != c.status || !strings.HasPrefix(got, c.log) || c.log == "" && got != "" {
			t.Errorf("%s: sent %q, want %q; log %q", name, b.Status(), c.status, b.Log)
		}
	}
	b := moduletest.New(t, moduletest.Head("sl")+"route { exit; }\n", sl.New)
	b.Receive([]byte(head + rest + "CSeq: x\r\n\r\n"))
	if b.Status() != "400" {
		t.Errorf("without an error_route: %q", b.Status())
	}
}

// The error_route reads what it can of the messages of RFC 4475, and whatever it finds there is at most one answer.
func TestRefusedTorture(t *testing.T) {
	dir := os.Getenv("SIPREACTOR_TESTDATA")
	if dir == "" {
		t.Skip("SIPREACTOR_TESTDATA is not set: no messages of RFC 4475")
	}
	files, err := filepath.Glob(filepath.Join(dir, "rfc4475", "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no messages in %s: %v", dir, err)
	}
	b := moduletest.New(t, moduletest.Head("sl", "sipmsgops")+`
route { sl_send_reply(200, "OK"); }
error_route {
	xlog("refused $rm $ru $rU $rd $rp $fu $fU $fd $fn $ft $tu $tU $td $tn $tt $ci $cs $ct $hdr(Via) $hdr(Route) $rb $mb $ml $si $sp $du $ua $cl $rv $(ru{uri.params}) $(hdr(From){nameaddr.uri})");
	append_hf("X: y\r\n"); remove_hf("Via"); $ru = "sip:a@192.0.2.7";
	sl_send_reply($err.rcode, $err.rreason);
}
`, sl.New, sipmsgops.New)
	refused := 0
	for _, name := range files {
		message, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b.Receive(message)
		if len(b.Sent) > 1 || len(b.Sent) == 1 && !strings.HasPrefix(b.Sent[0].Text, "SIP/2.0 ") {
			t.Errorf("%s: sent %+v", name, b.Sent)
		}
		if strings.Contains(strings.Join(b.Log, "\n"), "refused ") {
			refused++
		}
	}
	if refused == 0 {
		t.Error("none of them was refused")
	}
}
