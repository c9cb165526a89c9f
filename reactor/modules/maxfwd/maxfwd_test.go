package maxfwd_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/moduletest"
)

func TestFunctions(t *testing.T) {
	head := moduletest.Head("maxfwd")
	for call, want := range map[string]string{
		`mf_process_maxfwd_header(10)`:   "1",
		`mf_process_maxfwd_header("10")`: "1",
		`mf_process_maxfwd_header($rU)`:  "-1", // no number
		`is_maxfwd_lt(70)`:               "1",
		`is_maxfwd_lt(69)`:               "-1",
	} {
		log := moduletest.Logs(t, head, call+`; xlog("code $rc");`, maxfwd.New)
		if got := log[len(log)-1]; got != "code "+want {
			t.Errorf("%s: %v", call, log)
		}
	}
}

func TestLimit(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("maxfwd")+`modparam("maxfwd", "max_limit", 40)
route { mf_process_maxfwd_header(10); forward("tls:127.0.0.1:5081"); }`, maxfwd.New)
	b.Receive(moduletest.Invite)
	if len(b.Sent) != 1 || !strings.Contains(b.Sent[0].Text, "\r\nMax-Forwards: 40\r\n") {
		t.Errorf("%+v %v", b.Sent, b.Log)
	}
}

func TestErrors(t *testing.T) {
	head := moduletest.Head("maxfwd")
	for text, want := range map[string]string{
		"route { mf_process_maxfwd_header(300); }":                         "Max-Forwards is 1 to 255, not 300",
		"modparam(\"maxfwd\", \"max_limit\", 300)\nroute { exit; }":        "max_limit = 300 is not possible: it takes a number from 1 to 256 (hops; 256 is no limit)",
		"route { exit; }\nonreply_route { mf_process_maxfwd_header(10); }": "mf_process_maxfwd_header() cannot be used in onreply_route",
	} {
		if got := moduletest.Wrong(t, head+text, maxfwd.New); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head()+"route { is_maxfwd_lt(1); }", maxfwd.New); !strings.Contains(got, `is_maxfwd_lt() is of the module maxfwd, which is not loaded: loadmodule "maxfwd.so"`) {
		t.Error(got)
	}
}
