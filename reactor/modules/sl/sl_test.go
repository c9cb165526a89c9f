package sl_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
)

func TestReplies(t *testing.T) {
	for call, want := range map[string]string{
		`sl_send_reply(200, "OK");`:            "SIP/2.0 200 OK\r\n",
		`sl_send_reply("486", "Busy $rU");`:    "SIP/2.0 486 Busy +4930123\r\n",
		`sl_send_reply(404, $hdr(None));`:      "SIP/2.0 404 Not Found\r\n",
		`sl_reply_error();`:                    "SIP/2.0 500 ",
		`forward("ws:h:1"); sl_reply_error();`: "SIP/2.0 503 ",
	} {
		b := moduletest.New(t, moduletest.Head("sl")+"route {\n"+call+"\n}\n", sl.New)
		b.Receive(moduletest.Invite)
		if len(b.Sent) != 1 || !strings.HasPrefix(b.Sent[0].Text, want) {
			t.Errorf("%s: %+v %v", call, b.Sent, b.Log)
		}
	}
}
