package path_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/path"
	"sipreactor/reactor/modules/rr"
)

func header(text, name string) (list []string) {
	for line := range strings.SplitSeq(text, "\r\n") {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			list = append(list, v)
		}
	}
	return list
}

// TestAdd writes Path into a registration.
func TestAdd(t *testing.T) {
	for _, tc := range []struct{ params, call, want string }{
		{"", `add_path();`, "<sip:edge.example.org:5061;transport=tls;lr>"},
		{"", `add_path("loadbalancer");`, "<sip:loadbalancer@edge.example.org:5061;transport=tls;lr>"},
		{"", `add_path_received("$fU");`, "<sip:alice@edge.example.org:5061;transport=tls;received=sip:10.0.0.9:40000%3Btransport%3Dtls;lr>"},
		{`modparam("path", "enable_double_path", 0)`, `add_path(); $du = "sip:10.0.0.1;transport=udp";`, "<sip:127.0.0.1;lr>"},
		{"", `if (!add_path("a@b")) xlog("no"); add_path();`, "<sip:edge.example.org:5061;transport=tls;lr>"},
	} {
		b := moduletest.New(t, moduletest.Head("rr", "path")+tc.params+"\nroute { $du = \"sip:10.0.0.1;transport=tls\"; "+tc.call+" forward(); }", rr.New, path.New)
		b.Receive(moduletest.Invite)
		if len(b.Sent) != 1 || strings.Join(header(b.Sent[0].Text, "Path"), ", ") != tc.want {
			t.Errorf("%s: %+v %v", tc.call, b.Sent, b.Log)
		}
	}
}

// TestUseReceived sends a request of the registrar to where the registration came from.
func TestUseReceived(t *testing.T) {
	text := strings.Replace(string(moduletest.Invite), "Max-Forwards", "Route: <sip:127.0.0.1:5061;transport=tls;received=sip:10.9.8.7:1234%3Btransport%3Dtls;lr>\r\nMax-Forwards", 1)
	text = strings.Replace(text, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=x", 1)
	const route = `route { loose_route(); xlog("$du"); }`
	for params, want := range map[string]string{`modparam("path", "use_received", 1)`: "sip:10.9.8.7:1234;transport=tls", "": "<null>"} {
		b := moduletest.New(t, moduletest.Head("rr", "path")+params+"\n"+route, rr.New, path.New)
		b.Receive([]byte(text))
		if strings.Join(b.Log, "|") != want {
			t.Errorf("%s: %v", params, b.Log)
		}
		for _, bad := range []string{"sip:10.9.8.7%3", "rubbish", "%zz"} {
			b.Receive([]byte(strings.Replace(text, "sip:10.9.8.7:1234%3Btransport%3Dtls", bad, 1)))
			if strings.Join(b.Log, "|") != "<null>" {
				t.Errorf("%s: %v", bad, b.Log)
			}
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("path")+"modparam(\"path\", \"use_received\", 1)\nroute { exit; }", path.New); !strings.Contains(got, "needs the module rr") {
		t.Error(got)
	}
}
