package options_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/options"
	"sipreactor/reactor/modules/signaling"
)

var ping = []byte(strings.NewReplacer("INVITE sip:+4930123@example.net:5070", "OPTIONS sip:example.org", "314159 INVITE", "1 OPTIONS").Replace(string(moduletest.Invite)))

// TestReply answers OPTIONS to the server itself with what the parameters say.
func TestReply(t *testing.T) {
	head := moduletest.Head("signaling", "options")
	const route = `route { if (!options_reply()) xlog("not for us"); }`
	for params, want := range map[string]string{
		"": "Accept: */*\r\nAccept-Language: en\r\n",
		`modparam("options", "accept", "application/*")
modparam("options", "accept_encoding", "gzip")
modparam("options", "accept_language", "")
modparam("options", "support", "100rel")
`: "Accept: application/*\r\nAccept-Encoding: gzip\r\nSupported: 100rel\r\n",
	} {
		b := moduletest.New(t, head+params+route, options.New, signaling.New)
		b.Receive(ping)
		if b.Status() != "200" || !strings.Contains(b.Sent[0].Text, want) {
			t.Errorf("%s: %+v %v", params, b.Sent, b.Log)
		}
	}
	b := moduletest.New(t, head+route, options.New, signaling.New)
	for _, other := range [][]byte{moduletest.Invite, []byte(strings.Replace(string(ping), "sip:example.org", "sip:bob@example.org", 1))} {
		if b.Receive(other); b.Status() != "" || len(b.Log) != 1 {
			t.Errorf("%+v %v", b.Sent, b.Log)
		}
	}
}

// TestRequire: an option that is not supported is told, and nothing else is (RFC 3261 8.2.2.3, 11.2).
func TestRequire(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling", "options")+`modparam("options", "support", "100rel, path")
route { options_reply(); }`, options.New, signaling.New)
	for require, want := range map[string]string{
		"Path":           "200 Supported: 100rel, path",
		"path, gruu, x1": "420 Unsupported: gruu, x1",
	} {
		b.Sent = nil
		b.Receive([]byte(strings.Replace(string(ping), "CSeq:", "Require: "+require+"\r\nCSeq:", 1)))
		code, header, _ := strings.Cut(want, " ")
		if b.Status() != code || !strings.Contains(b.Sent[0].Text, "\r\n"+header+"\r\n") || strings.Contains(b.Sent[0].Text, "Accept:") != (code == "200") {
			t.Errorf("%s: %+v, want %s", require, b.Sent, want)
		}
	}
}

// TestErrors are told at load.
func TestErrors(t *testing.T) {
	if got := moduletest.Wrong(t, moduletest.Head("signaling", "options")+"modparam(\"options\", \"accept\", \"a\\r\\nX: y\")\nroute { exit; }", options.New, signaling.New); !strings.Contains(got, "without control characters") {
		t.Error(got)
	}
	if got := moduletest.Wrong(t, moduletest.Head("options")+"route { exit; }", options.New, signaling.New); !strings.Contains(got, "needs the module signaling") {
		t.Error(got)
	}
}
