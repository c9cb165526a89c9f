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
