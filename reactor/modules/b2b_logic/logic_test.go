package b2b_logic

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	b2b "sipreactor/reactor/modules/b2b_entities"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

var modules = []script.Constructor{tm.New, uac_auth.New, b2b.New, New}

const hides = `modparam("b2b_logic", "custom_headers", "P-Note; x-ours")
modparam("b2b_logic", "init_callid_hdr", "X-Init")
route { $ru = "sip:bob@192.0.2.9:5061;transport=tls"; b2b_init_request("top hiding"); xlog("$rc"); }
`

// TestHidden: a call whose parties know nothing of each other, from its INVITE to its BYE.
func TestHidden(t *testing.T) {
	s := newServer(t, hides)
	s.invite()
	sent := s.take("100 INVITE")
	invite := sent[1]
	if !strings.HasPrefix(invite.Text, "INVITE sip:bob@192.0.2.9:5061;transport=tls SIP/2.0") || strings.Contains(invite.Header("Via"), "10.0.0.9") || strings.Contains(invite.Header("Call-ID"), "a84b4c76e66710") {
		t.Errorf("the callee sees who calls:\n%s", invite.Text)
	}
	s.has(invite, map[string]string{"To": "<sip:bob@192.0.2.9:5061;transport=tls>", "Contact": "<sip:edge.example.org:5061;transport=tls>", "Max-Forwards": "68", "Supported": "timer", "X-Ours": "7",
		"P-Note": "one|two, three|last", "X-Init": "a84b4c76e66710@pc33", "User-Agent": "", "Content-Type": "application/sdp", "": "v=0\r\no=- 1 1 x\r\n"[:14]})
	if from := invite.Header("From"); !strings.HasPrefix(from, `"Alice A." <sip:alice@atlanta.example;x=1>;tag=B2B.`) {
		t.Errorf("From is %s", from)
	}
	s.respond(invite, "180 Ringing", "callee", "", "X-Ours: ring")
	s.has(s.take("180")[0], map[string]string{"X-Ours": "ring", "Contact": "<sip:edge.example.org:5061;transport=tls>"})
	s.respond(invite, "200 OK", "callee", "v=0 answer\r\n")
	ok := s.take("200")[0]
	s.has(ok, map[string]string{"": "v=0 answer\r\n", "Content-Type": "application/sdp", "Call-ID": "a84b4c76e66710@pc33"})
	key := tagOf(ok.Header("To"))
	s.later("ACK", key, 314159, "")
	ack := s.take("ACK")[0]
	if !strings.HasPrefix(ack.Text, "ACK sip:callee@192.0.2.9:5061;transport=tls ") {
		t.Errorf("the ACK is\n%s", ack.Text)
	}
	s.respond(invite, "200 OK", "callee", "v=0 answer\r\n") // our ACK was lost
	s.take("ACK")

	// Requests of either side, and what they are answered.
	s.later("INFO", key, 314160, "")
	info := s.take("INFO")[0]
	s.has(info, map[string]string{"X-Ours": "later", "CSeq": "2 INFO", "To": "<sip:bob@192.0.2.9:5061;transport=tls>;tag=callee"})
	s.respond(info, "488 Not Acceptable Here", "callee", "")
	s.take("488")
	s.request("INVITE", invite.Header("To")+";tag=callee", invite.Header("From"), invite.Header("Call-ID"), 5, "")
	again := s.take("100 INVITE")[1]
	s.has(again, map[string]string{"Call-ID": "a84b4c76e66710@pc33", "From": "<sip:+4930123@example.net>;tag=" + key, "To": "<sip:alice@atlanta.example;x=1>;tag=1928301774"})
	s.respond(again, "200 OK", "1928301774", "v=0 again\r\n")
	s.has(s.take("200")[0], map[string]string{"": "v=0 again\r\n"})
	s.request("ACK", invite.Header("To")+";tag=callee", invite.Header("From"), invite.Header("Call-ID"), 5, "")
	s.has(s.take("ACK")[0], map[string]string{"Call-ID": "a84b4c76e66710@pc33"})

	if list := s.Command(t, "b2b_list", nil); !strings.Contains(list, `"scenario":"top hiding"`) || !strings.Contains(list, key) || !strings.Contains(list, `"answered":true`) {
		t.Errorf("b2b_list: %s", list)
	}
	s.later("BYE", key, 314161, "")
	if bye := s.take("200 BYE")[1]; bye.Header("Call-ID") != invite.Header("Call-ID") || s.m.calls.len() != 0 {
		t.Errorf("%d calls behind the BYE\n%s", s.m.calls.len(), bye.Text)
	}
}

// TestUnanswered: a refusal, a CANCEL, a caller who has come too far.
func TestUnanswered(t *testing.T) {
	s := newServer(t, hides)
	s.invite()
	s.respond(s.take("100 INVITE")[1], "486 Busy Here", "callee", "")
	if got := s.Status(); got != "ACK 486" || s.m.calls.len() != 0 {
		t.Errorf("a refusal: %s, %d calls", got, s.m.calls.len())
	}
	s = newServer(t, hides)
	s.invite()
	invite := s.take("100 INVITE")[1]
	s.respond(invite, "180 Ringing", "callee", "")
	head, _, _ := strings.Cut(string(moduletest.Invite), "Content-Type")
	s.Receive([]byte(strings.ReplaceAll(head, "INVITE", "CANCEL") + "Content-Length: 0\r\n\r\n"))
	if got := s.Status(); got != "200 487 CANCEL" || s.m.calls.len() != 0 {
		t.Errorf("a CANCEL: %s, %d calls", got, s.m.calls.len())
	}
	s = newServer(t, hides)
	s.Receive([]byte(strings.Replace(string(moduletest.Invite), "Max-Forwards: 69", "Max-Forwards: 0", 1)))
	if got := s.Status(); strings.Contains(got, "INVITE") || !strings.HasSuffix(got, "483") || s.m.calls.len() != 0 {
		t.Errorf("Max-Forwards 0: %s", got)
	}
}

// TestHungUpOverReinvite: a BYE, of whichever side, ends a call whose re-INVITE waits: that is answered 487, and its other
// half canceled, or if nothing was heard of it given up.
func TestHungUpOverReinvite(t *testing.T) {
	for _, ringing := range []bool{false, true} {
		for _, caller := range []bool{false, true} {
			t.Run(fmt.Sprintf("ringing %v, BYE of the caller %v", ringing, caller), func(t *testing.T) {
				s := newServer(t, hides)
				key, invite := s.answered()
				s.later("INVITE", key, 314160, "v=0 again\r\n")
				again := s.take("100 INVITE")[1]
				if ringing {
					s.respond(again, "180 Ringing", "callee", "")
					s.take("180")
				}
				hangUp := func() {
					s.Sent = nil
					if caller {
						s.later("BYE", key, 314161, "")
					} else {
						s.request("BYE", invite.Header("To")+";tag=callee", invite.Header("From"), invite.Header("Call-ID"), 5, "")
					}
				}
				hangUp()
				want := map[string]int{"200": 1, "487": 1, "BYE": 1}
				if ringing {
					want["CANCEL"] = 1
				}
				got := map[string]int{}
				for _, kind := range strings.Fields(s.Status()) {
					got[kind]++
				}
				if !maps.Equal(got, want) {
					t.Fatalf("sent %v, want %v", got, want)
				}
				s.Sent = nil
				s.respond(again, "200 OK", "callee", "v=0 late\r\n") // it crosses the BYE
				s.take("ACK")
				if s.m.calls.len() != 0 {
					t.Errorf("%d calls are left", s.m.calls.len())
				}
			})
		}
	}
}

// TestChallenged: the callee's challenge is answered, and by transparent-auth told.
func TestChallenged(t *testing.T) {
	const credential = `modparam("uac_auth", "credential", "us:example.net:secret")` + "\n"
	const challenge = `WWW-Authenticate: Digest realm="example.net", nonce="abc", algorithm=MD5`
	s := newServer(t, credential+hides)
	s.invite()
	first := s.take("100 INVITE")[1]
	s.respond(first, "401 Unauthorized", "callee", "", challenge)
	second := s.take("ACK INVITE")[1]
	s.has(second, map[string]string{"Call-ID": first.Header("Call-ID"), "From": first.Header("From"), "CSeq": "2 INVITE", "X-Ours": "7"})
	if !strings.Contains(second.Header("Authorization"), `username="us"`) {
		t.Errorf("no credentials in\n%s", second.Text)
	}
	s.respond(second, "401 Unauthorized", "callee", "", challenge)
	s.take("ACK 401")
	s = newServer(t, credential+strings.Replace(hides, `"top hiding"`, `"top hiding", "transparent-auth"`, 1))
	s.invite()
	s.respond(s.take("100 INVITE")[1], "401 Unauthorized", "callee", "", challenge)
	s.take("ACK 401")
}

const transfers = `modparam("b2b_logic", "script_req_route", "request")
modparam("b2b_logic", "script_reply_route", "reply")
route {
	$avp(n) = "X-Leg"; $avp(v) = "to callee";
	$b2b_logic.ctx(who) = "alice";
	b2b_server_new("caller");
	b2b_client_new("callee", "sip:bob@192.0.2.9:5061;transport=tls", , "A \"B\"", , $avp(n), $avp(v));
	b2b_init_request("transfer");
	xlog("$rc $b2b_logic.scenario");
}
route[request] {
	xlog("request $rm of $b2b_logic.entity(id), $b2b_logic.ctx(who), 1 is $(b2b_logic.entity(id)[1])");
	if ($rm == "REFER") {
		b2b_send_reply(202, "Accepted");
		b2b_client_new("target", "sip:carol@192.0.2.9:5061;transport=tls");
		b2b_bridge("peer", "target", , "rollback-failed");
		xlog("bridge $rc");
		exit;
	}
	b2b_pass_request();
}
route[reply] {
	xlog("reply $rs of $b2b_logic.entity(id)");
	if ($b2b_logic.entity(id) == "target" && $rs == 404) {
		b2b_client_new("retry", "sip:dave@192.0.2.9:5061;transport=tls");
		b2b_bridge_retry("retry");
		exit;
	}
	b2b_handle_reply();
}
`

// TestTransfer: the script joins the caller with another party: one that refuses, another in its place, and one that leaves all as it was.
func TestTransfer(t *testing.T) {
	s := newServer(t, transfers)
	key, invite := s.answered()
	s.has(invite, map[string]string{"X-Leg": "to callee"})
	if from := invite.Header("From"); !strings.HasPrefix(from, `"A B" <sip:alice@atlanta.example;x=1>`) {
		t.Errorf("From is %s", from)
	}
	refer := func(cseq int) moduletest.Sent {
		t.Helper()
		s.request("REFER", invite.Header("To")+";tag=callee", invite.Header("From"), invite.Header("Call-ID"), cseq, "")
		if got := strings.Join(s.Log, "|"); got != "request REFER of callee, alice, 1 is callee|bridge 1" {
			t.Fatalf("logged %s", got)
		}
		return s.take("INVITE 202")[0]
	}
	target := refer(5)
	if !strings.HasPrefix(target.Text, "INVITE sip:carol@") || target.Header("Content-Length") != "0" || !strings.HasPrefix(target.Header("From"), "<sip:alice@atlanta.example;x=1>;tag=") {
		t.Errorf("the new party gets\n%s", target.Text)
	}
	s.respond(target, "486 Busy Here", "carol", "")
	s.take("ACK")
	s.later("INFO", key, 314160, "") // all is as it was
	info := s.take("INFO")[0]
	s.has(info, map[string]string{"X-Leg": "to callee"})
	s.respond(info, "200 OK", "callee", "")
	s.take("200")

	target = refer(6)
	s.respond(target, "404 Not Found", "carol", "")
	retry := s.take("ACK INVITE")[1]
	if !strings.HasPrefix(retry.Text, "INVITE sip:dave@") {
		t.Fatalf("the other party gets\n%s", retry.Text)
	}
	s.respond(retry, "200 OK", "dave", "v=0 offer\r\n")
	again := s.take("INVITE")[0]
	s.has(again, map[string]string{"Call-ID": "a84b4c76e66710@pc33", "": "v=0 offer\r\n"})
	s.respond(again, "200 OK", "1928301774", "v=0 mine\r\n")
	acks := s.take("ACK ACK BYE")
	s.has(acks[0], map[string]string{"Call-ID": retry.Header("Call-ID"), "": "v=0 mine\r\n"})
	s.has(acks[1], map[string]string{"Call-ID": "a84b4c76e66710@pc33", "": ""})
	s.has(acks[2], map[string]string{"Call-ID": invite.Header("Call-ID")})
	s.later("BYE", key, 314170, "")
	if bye := s.take("200 BYE")[1]; bye.Header("Call-ID") != retry.Header("Call-ID") || s.m.calls.len() != 0 {
		t.Errorf("%d calls behind the BYE\n%s", s.m.calls.len(), bye.Text)
	}
}

// TestManaged: management joins the caller with another party, and ends the call by a Context of its own.
func TestManaged(t *testing.T) {
	s := newServer(t, hides)
	s.answered()
	call := s.m.calls.all()[0]
	for _, c := range []struct {
		params []any
		want   string
	}{{[]any{"none", "sip:x@y"}, "No such call"}, {[]any{call.key, "sip:x@y", 5}, "No such party"}, {[]any{call.key, "nonsense"}, "none"}} {
		if got := s.Command(t, "b2b_bridge", c.params); !strings.Contains(got, c.want) {
			t.Errorf("b2b_bridge %v: %s", c.params, got)
		}
	}
	if call.bridge != nil || len(call.legs) != 2 {
		t.Errorf("a bridge that failed has left %d legs", len(call.legs))
	}
	s.m.sweep(call.since.Add(13 * 3600e9))
	if s.m.calls.len() != 0 {
		t.Error("a call outlives max_duration")
	}
	if got := s.Command(t, "b2b_terminate_call", []any{call.key}); !strings.Contains(got, "No such call") {
		t.Errorf("b2b_terminate_call: %s", got)
	}
}

func TestWrong(t *testing.T) {
	head := moduletest.Head("tm", "b2b_entities", "b2b_logic")
	for text, want := range map[string]string{
		"modparam(\"b2b_logic\", \"script_req_route\", \"none\")\nroute { exit; }\n":      "none",
		"modparam(\"b2b_logic\", \"custom_headers\", \"a b\")\nroute { exit; }\n":         "is names of headers",
		"modparam(\"b2b_logic\", \"custom_headers_regexp\", \"/x/q\")\nroute { exit; }\n": "unknown flags",
		"modparam(\"b2b_logic\", \"script_scenario\", \"/x.xml\")\nroute { exit; }\n":     "gone since OpenSIPS 3.2",
		"route { b2b_init_request(\"x\", \"t300\"); }\n":                                  "unknown flag",
		"route { b2b_init_request(\"x\", \"setup-timeout\"); }\n":                         "setup-timeout=NN",
		"route { b2b_client_new(\"a\", \"nonsense\"); }\n":                                "expected a URI",
		"modparam(\"b2b_logic\", \"server_address\", \"nonsense\")\nroute { exit; }\n":    "server_address is no URI",
		"route { b2b_bridge(\"a\", \"b\", \"sip:media@x\"); }\n":                          "is not supported",
		"route { b2b_bridge_request(\"a\", 1); }\n":                                       "calls begin with an INVITE",
		"route { xlog(\"$b2b_logic.entity(age)\"); }\n":                                   "expected key, callid",
	} {
		if got := moduletest.Wrong(t, head+text, tm.New, b2b.New, New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, c := range []struct{ run, want string }{
		{`b2b_pass_request(); xlog("$rc");`, "-1"}, {`b2b_init_request("x"); xlog("$rc");`, "-1"}, {`$var(u) = "nonsense"; b2b_client_new("x", $var(u)); xlog("$rc");`, "-1"}, {`xlog("$b2b_logic.key");`, "<null>"},
	} {
		log := moduletest.Logs(t, head, c.run, tm.New, b2b.New, New)
		if got := log[len(log)-1]; got != c.want {
			t.Errorf("%s: %v, want %s", c.run, log, c.want)
		}
	}
}
