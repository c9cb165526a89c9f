package signaling_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/script"
)

func TestSendReply(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling")+"route { send_reply(404, \"Nobody\"); }\n", signaling.New)
	b.Receive(moduletest.Invite)
	if b.Status() != "404" || !strings.HasPrefix(b.Sent[0].Text, "SIP/2.0 404 Nobody\r\n") {
		t.Errorf("%+v %v", b.Sent, b.Log)
	}
}

// A module of transactions answers in its place.
func TestSetResponder(t *testing.T) {
	var got string
	other := func(*script.Config) *script.Module {
		return &script.Module{Name: "tm", Needs: []string{"signaling"}, Check: func(l *script.Loading) {
			l.Instance("signaling").(*signaling.Module).SetResponder(func(_ *script.Machine, code int, reason []byte) error {
				got = string(reason)
				return nil
			})
		}}
	}
	b := moduletest.New(t, moduletest.Head("signaling", "tm")+"route { send_reply(404, \"Nobody\"); }\n", signaling.New, other)
	b.Receive(moduletest.Invite)
	if got != "Nobody" || b.Status() != "" {
		t.Errorf("%q %+v", got, b.Sent)
	}
}

func TestErrors(t *testing.T) {
	got := moduletest.Wrong(t, moduletest.Head("signaling")+"route { send_reply(99, \"x\"); send_reply(404); }\n", signaling.New)
	for _, want := range []string{"a status code is 100 to 699, not 99", `send_reply() takes 2 arguments, not 1: send_reply(code, "reason")`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s in\n%s", want, got)
		}
	}
}

// $sig_local_totag is the tag of the response that follows; the request's own where it has one.
func TestLocalToTag(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling")+"route { xlog(\"$sig_local_totag\"); send_reply(404, \"Nobody\"); }\nonreply_route { xlog(\"$sig_local_totag\"); }\n", signaling.New)
	b.Receive(moduletest.Invite)
	if len(b.Log) != 1 || b.Log[0] == "" || len(b.Sent) != 1 || !strings.Contains(b.Sent[0].Text, ";tag="+b.Log[0]+"\r\n") {
		t.Errorf("%q %v", b.Log, b.Sent)
	}
	b.Receive([]byte(strings.Replace(string(moduletest.Invite), "\r\nTo: ", "\r\nTo: <sip:x@y>;tag=theirs\r\nX-To: ", 1)))
	if len(b.Log) != 1 || b.Log[0] != "theirs" {
		t.Errorf("%q", b.Log)
	}
}
