package rr_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/tm"
)

func TestCodes(t *testing.T) {
	moduletest.Codes(t, moduletest.Head("rr"), map[string]string{
		`loose_route()`: "-1", `check_route_param("nat=yes")`: "-1", `is_direction("downstream")`: "1", `is_direction("upstream")`: "-1",
		`record_route()`: "1", `record_route(";nat=yes")`: "1", `record_route("bad param")`: "-1", `add_rr_param(";x=1")`: "1", `add_rr_param("x")`: "-1",
		`record_route_preset("1.2.3.4:5090")`: "1", `record_route_preset($hdr(None))`: "-1", `record_route_preset("1.2.3.4", $hdr(None))`: "-1",
	}, rr.New)
}

func TestRecordRoute(t *testing.T) {
	for text, want := range map[string]string{
		`route { record_route(";a=1"); add_rr_param(";b=2"); forward("tls:127.0.0.1:5081"); }`: "<sip:edge.example.org:5061;transport=tls;lr;ftag=1928301774;a=1;b=2>",
		`modparam("rr", "append_fromtag", 0)
modparam("rr", "enable_full_lr", 1)
modparam("rr", "add_username", 1)
route { record_route(); forward("tls:127.0.0.1:5081"); }`: "<sip:+4930123@edge.example.org:5061;transport=tls;lr=on>",
		`modparam("rr", "append_fromtag", 0)
modparam("rr", "enable_double_rr", 0)
route { record_route(); forward("tcp:127.0.0.1:5081"); }`: "<sip:127.0.0.1;transport=tcp;lr>",
	} {
		b := moduletest.New(t, moduletest.Head("rr")+text, rr.New)
		b.Receive(moduletest.Invite)
		if len(b.Sent) != 1 || b.Sent[0].Header("Record-Route") != want {
			t.Errorf("%s:\n%+v %v", text, b.Sent, b.Log)
		}
	}
}

// A request inside a dialog tells its direction by the From tag that was noted.
func TestDirection(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("rr")+`route {
	if (loose_route()) xlog("$rr_params");
	if (is_direction("upstream")) xlog("up"); else xlog("down");
	if (check_route_param("ftag=9")) xlog("nine");
}`, rr.New)
	bye := strings.Replace(string(moduletest.Invite), "Max-Forwards", "Route: <sip:edge.example.org:5061;transport=tls;lr;ftag=TAG>\r\nMax-Forwards", 1)
	for tag, want := range map[string]string{"1928301774": ";transport=tls;lr;ftag=1928301774 down", "99": ";transport=tls;lr;ftag=99 up nine"} {
		b.Receive([]byte(strings.Replace(strings.Replace(bye, "TAG", tag, 1), "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=2", 1)))
		if got := strings.Join(b.Log, " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("rr")+`route { is_direction("up"); }`, rr.New); !strings.Contains(got, `a direction is "upstream" or "downstream"`) {
		t.Error(got)
	}
}

// What is relayed does not go past a Route that cannot be followed, in a dialog or outside: the answer is 400.
func TestBlockedRoute(t *testing.T) {
	const ours = "<sip:edge.example.org:5061;transport=tls;lr"
	for _, relay := range []string{"t_relay()", "forward()"} {
		b := moduletest.New(t, moduletest.Head("rr", "tm")+"route { if (loose_route()) xlog(\"loose\"); "+relay+"; }", rr.New, tm.New)
		n := 0
		for _, routes := range []string{ours, ours + ">, <sip:127.0.0.1:0;lr>", ours + ">, <tel:123>", ours + ">\r\nRoute: \"x <sip:127.0.0.1:5080;lr>"} {
			for _, tag := range []string{"", ";tag=2"} {
				n++
				for _, method := range []string{"BYE", "ACK"} {
					text := strings.NewReplacer("INVITE", method, "Max-Forwards", "Route: "+routes+"\r\nMax-Forwards",
						"To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>"+tag, "branch=z9hG4bK", fmt.Sprintf("branch=z9hG4bK%d%s", n, method))
					b.Receive([]byte(text.Replace(string(moduletest.Invite))))
					switch {
					case len(b.Log) == 0 || b.Log[0] != "loose":
						t.Errorf("%s, %s %s: %q", relay, method, routes, b.Log)
					case method == "ACK" && len(b.Sent) > 0:
						t.Errorf("%s, ACK %s: %+v", relay, routes, b.Sent)
					case method == "BYE" && (len(b.Sent) != 1 || !strings.HasPrefix(b.Status(), "400")):
						t.Errorf("%s, BYE %s: %+v", relay, routes, b.Sent)
					}
				}
			}
		}
	}
}
