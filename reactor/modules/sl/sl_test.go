package sl_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/script"
)

func TestReplies(t *testing.T) {
	for call, want := range map[string]string{
		`sl_send_reply(200, "OK");`:            "SIP/2.0 200 OK\r\n",
		`sl_send_reply("486", "Busy $rU");`:    "SIP/2.0 486 Busy +4930123\r\n",
		`sl_send_reply(404, $hdr(None));`:      "SIP/2.0 404 Not Found\r\n",
		`sl_reply_error();`:                    "SIP/2.0 500 ",
		`forward("ws:h:1"); sl_reply_error();`: "SIP/2.0 503 ",
	} {
		var made *script.Module
		b := moduletest.New(t, moduletest.Head("sl")+"route {\n"+call+"\n}\n", func(c *script.Config) *script.Module {
			made = sl.New(c)
			return made
		})
		b.Receive(moduletest.Invite)
		if len(b.Sent) != 1 || !strings.HasPrefix(b.Sent[0].Text, want) {
			t.Errorf("%s: %+v %v", call, b.Sent, b.Log)
		}
		if want := uint64(strings.Count(call, "sl_reply_error")); made.Statistics[0].Read() != want {
			t.Errorf("%s: %d counted, want %d", call, made.Statistics[0].Read(), want)
		}
	}
}
