package tm_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/mi_script"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
)

// TestReplyByOwnScript has a script answer the transaction that it holds by the management command.
func TestReplyByOwnScript(t *testing.T) {
	b := &bench{moduletest.New(t, moduletest.Head("tm", "sl", "mi_script", "proto_udp", "proto_tcp")+`
route { t_newtran(); mi("t_reply 480 Later $T_id .", $var(o)); xlog("$rc $var(o)"); mi("t_reply 481 Never $T_id .", $var(o)); xlog("$rc $var(o)"); }
`, tm.New, sl.New, mi_script.New)}
	b.send(t, "INVITE")
	if got := b.Status(); got != "100 480" && got != "480" {
		t.Error(got, b.Log)
	}
	if got := strings.Join(b.Log, "|"); got != `1 "OK"|-500 Transaction is answered` {
		t.Error(got)
	}
}

// A request that is canceled while its script waits is answered 487 and nothing else, and a script that then answers what
// t_relay() could not do has no warning for it.
func TestErrorReplyBehindACancel(t *testing.T) {
	b := start(t, `loadmodule "cfgutils.so"
route {
	if (is_method("CANCEL")) { t_relay(); exit; }
	t_newtran();
	usleep("10");
	if (!t_relay()) { xlog("$rc"); sl_reply_error(); xlog("$rc"); }
}
`)
	b.OnWait = func() {
		other := b.Proxy.NewContext(b.Context.Sender())
		other.Receive([]byte("CANCEL sip:bob@192.0.2.9;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"+
			"From: <sip:alice@example.net>;tag=a\r\nTo: <sip:bob@example.net>\r\nCall-ID: c1\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n"), b.Source)
	}
	b.send(t, "INVITE")
	b.want(t, "100 200 487", "-3", "-1")
}
