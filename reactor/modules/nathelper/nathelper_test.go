package nathelper_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/nathelper"
	"sipreactor/reactor/modules/registrar"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
)

var all = []script.Constructor{nathelper.New, registrar.New, signaling.New, usrloc.New}

// invite is an INVITE from 10.0.0.9:40000 with that Via, Contact and SDP address.
func invite(via, contact, sdp string) []byte {
	body := "v=0\no=- 1 1 IN IP4 " + sdp + "\ns=-\nc=IN IP4 " + sdp + "\nt=0 0\nm=audio 4000 RTP/AVP 0\n"
	return moduletest.CRLF(fmt.Sprintf("INVITE sip:bob@192.0.2.1 SIP/2.0\nVia: SIP/2.0/TLS %s;branch=z9hG4bKn\nMax-Forwards: 70\n"+
		"From: <sip:alice@example.org>;tag=f\nTo: <sip:bob@example.org>\nCall-ID: n\nCSeq: 1 INVITE\nContact: %s\nContent-Type: application/sdp\nContent-Length: %d\n\n%s",
		via, contact, len(body)+strings.Count(body, "\n"), body))
}

func TestUACTest(t *testing.T) {
	const (
		via     = "10.0.0.9:40000"
		contact = "<sip:alice@10.0.0.9:40000>"
		public  = "192.0.2.7"
	)
	for _, c := range []struct {
		tests, via, contact, sdp, want string
	}{
		{"private-contact", via, "<sip:a@192.168.0.1>", public, "1"},
		{"1", via, "<sip:a@100.64.0.1>", public, "1"},
		{"private-contact", via, "<sip:a@192.0.2.7>", public, "-1"},
		{"private-contact", via, "<sip:a@example.org>", public, "-1"},
		{"diff-ip-src-via", "192.0.2.7:40000", contact, public, "1"},
		{"diff-ip-src-via", via, contact, public, "-1"},
		{"private-via", "172.16.0.1", contact, public, "1"},
		{"private-via", "172.32.0.1", contact, public, "-1"},
		{"private-sdp", via, contact, "10.1.1.1", "1"},
		{"8", via, contact, public, "-1"},
		{"private-sdp", via, contact, "0.0.0.0", "-1"},
		{"diff-port-src-via", "10.0.0.9:5061", contact, public, "1"},
		{"diff-port-src-via", "10.0.0.9", contact, public, "1"},
		{"diff-port-src-via", via, contact, public, "-1"},
		{"diff-ip-src-contact", via, "<sip:a@10.0.0.8:40000>", public, "1"},
		{"diff-ip-src-contact", via, contact, public, "-1"},
		{"diff-port-src-contact", via, "<sip:a@10.0.0.9:1>", public, "1"},
		{"diff-port-src-contact", via, contact, public, "-1"},
		{"private-contact", via, "<sip:a@192.0.0.1>", public, "-1"},
		{"private-contact,carrier-grade-nat", via, "<sip:a@192.0.0.1>", public, "1"},
		{"19", "192.0.2.7", "<sip:a@192.0.2.7>", public, "1"},
	} {
		b := moduletest.New(t, moduletest.Head("nathelper")+fmt.Sprintf("route { nat_uac_test(%q); $var(rc) = $rc; xlog(\"$var(rc)\"); }\n", c.tests), all...)
		b.Receive(invite(c.via, c.contact, c.sdp))
		if len(b.Log) != 1 || b.Log[0] != c.want {
			t.Errorf("%+v: %v", c, b.Log)
		}
	}
}

// TestFix looks at what leaves.
func TestFix(t *testing.T) {
	const sdp = "v=0\r\no=- 1 1 IN IP4 192.168.0.2\r\ns=-\r\nc=IN IP4 192.168.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	for _, c := range []struct {
		name, call, contact string
		want                []string
	}{
		{"contact", "fix_nated_contact()", `"A" <sip:alice@192.168.0.2:5060;transport=tls>;q=0.1`, []string{`Contact: "A" <sip:alice@10.0.0.9:40000;transport=tls>;q=0.1` + "\r\n"}},
		{"contact with parameters", `fix_nated_contact(";nat=yes")`, "<sip:alice@192.168.0.2;ob>", []string{"Contact: <sip:alice@10.0.0.9:40000;nat=yes;ob>\r\n"}},
		{"contact that keeps", `fix_nated_contact("", "preserve-uri")`, "<sip:alice@192.168.0.2>", []string{"Contact: <sip:alice@10.0.0.9:40000;org=MTkyLjE2OC4wLjI>\r\n"}},
		{"received", "add_rcv_param()", "<sip:alice@192.168.0.2>;q=1", []string{`Contact: <sip:alice@192.168.0.2>;received="sip:10.0.0.9:40000;transport=tls";q=1` + "\r\n"}},
		{"received within", "add_rcv_param(1)", "<sip:alice@192.168.0.2>;q=1", []string{"Contact: <sip:alice@192.168.0.2;received=sip:10.0.0.9:40000%3Btransport%3Dtls>;q=1\r\n"}},
		{"media", `fix_nated_sdp("rewrite-media-ip")`, "<sip:a@h>", []string{"c=IN IP4 10.0.0.9\r\n", "o=- 1 1 IN IP4 192.168.0.2\r\n", "a=oldcip:192.168.0.2\r\n"}},
		{"by number, with an address", `fix_nated_sdp("15", "2001:db8::1", "a=x\r\n")`, "<sip:a@h>",
			[]string{"c=IN IP6 2001:db8::1\r\n", "o=- 1 1 IN IP6 2001:db8::1\r\n", "a=direction:active\r\na=nortpproxy:yes\r\n", "a=oldcip:192.168.0.2\r\n", "a=oldoip:192.168.0.2\r\n", "a=x\r\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := moduletest.New(t, moduletest.Head("nathelper")+"route { "+c.call+"; forward(\"tls:127.0.0.1:5081\"); }\n", all...)
			b.Receive(invite("10.0.0.9:40000", c.contact, "192.168.0.2"))
			if len(b.Sent) != 1 {
				t.Fatalf("sent %+v %v", b.Sent, b.Log)
			}
			text := b.Sent[0].Text
			for _, w := range c.want {
				if !strings.Contains(text, w) {
					t.Errorf("lacks %q:\n%s", w, text)
				}
			}
			head, body, _ := strings.Cut(text, "\r\n\r\n")
			if !strings.Contains(head+"\r\n", fmt.Sprintf("Content-Length: %d\r\n", len(body))) {
				t.Errorf("the length is not %d:\n%s", len(body), head)
			}
			if !strings.Contains(c.call, "sdp") && body != sdp {
				t.Errorf("the body changed:\n%s", body)
			}
		})
	}
}

// TestRestore takes the way back.
func TestRestore(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("nathelper")+`route { restore_nated_ruri(); $var(rc) = $rc; xlog("$var(rc) $ru $du"); }`+"\n", all...)
	for uri, want := range map[string]string{
		"sip:a@10.0.0.9:40000;org=MTkyLjE2OC4wLjI;x=1": "1 sip:a@192.168.0.2;x=1 sip:a@10.0.0.9:40000;x=1",
		"sip:a@10.0.0.9:40000":                         "-1 sip:a@10.0.0.9:40000 <null>",
		"sip:a@10.0.0.9:40000;org=%%%":                 "-1",
	} {
		b.Receive([]byte(strings.Replace(string(invite("h", "<sip:a@h>", "1.1.1.1")), "sip:bob@192.0.2.1 SIP", uri+" SIP", 1)))
		if len(b.Log) > 0 && !strings.HasPrefix(b.Log[0], want) {
			t.Errorf("%s: %v", uri, b.Log)
		}
	}
}

func TestRegister(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("nathelper")+`modparam("nathelper", "received_avp", "$avp(rcv)")
route { fix_nated_register(); xlog("$avp(rcv)"); }
`, all...)
	b.Receive(invite("h", "<sip:a@h>", "1.1.1.1"))
	if len(b.Log) != 1 || b.Log[0] != "sip:10.0.0.9:40000;transport=tls" {
		t.Error(b.Log)
	}
}

// TestRegisterWithout does nothing where no AVP is named.
func TestRegisterWithout(t *testing.T) {
	if log := moduletest.Logs(t, moduletest.Head("nathelper"), `fix_nated_register(); xlog("$rc");`, all...); len(log) != 1 || log[0] != "-1" {
		t.Error(log)
	}
}

func TestErrors(t *testing.T) {
	head := moduletest.Head("signaling", "usrloc", "nathelper")
	for text, want := range map[string]string{
		`route { nat_uac_test("private"); }`:                                                                                 `unknown test "private": private-contact, `,
		`route { fix_nated_sdp("x"); }`:                                                                                      `unknown flag "x": add-dir-active`,
		"modparam(\"nathelper\", \"sipping_ignore_rpl_codes\", \"4x\")\nroute { exit; }":                                     `is no status code`,
		"modparam(\"nathelper\", \"sipping_method\", \"OPT IONS\")\nroute { exit; }":                                         `is no method`,
		"modparam(\"nathelper\", \"sipping_from\", \"pinger\")\nroute { exit; }":                                             `is no URI`,
		"modparam(\"nathelper\", \"natping_interval\", 5)\nmodparam(\"nathelper\", \"ping_nated_only\", 1)\nroute { exit; }": `needs modparam("usrloc", "nat_bflag"`,
	} {
		if got := moduletest.Wrong(t, head+text, all...); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
}

// TestNoFrom: without sipping_from the flags mean nothing, which is told.
func TestNoFrom(t *testing.T) {
	for _, flag := range []string{"sipping_bflag", "remove_on_timeout_bflag"} {
		b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "nathelper")+"modparam(\"nathelper\", \"natping_interval\", 5)\nmodparam(\"nathelper\", \""+flag+"\", \"S\")\nroute { exit; }", all...)
		if !slices.ContainsFunc(b.Config.Notes, func(n script.Note) bool { return strings.Contains(n.Msg, "no SIP request pings") }) {
			t.Errorf("%s: %v", flag, b.Config.Notes)
		}
	}
}

// TestOldAddresses leaves out what oldip_skip says, and marks as nortpproxy_str says.
func TestOldAddresses(t *testing.T) {
	for param, want := range map[string]string{
		"": "c=|o=|a=oldoip:|a=oldcip:|a=nortpproxy:yes",
		"modparam(\"nathelper\", \"oldip_skip\", \"o\")\n":                   "c=|o=|a=oldcip:|a=nortpproxy:yes",
		"modparam(\"nathelper\", \"oldip_skip\", \"oc\")\n":                  "c=|o=|a=nortpproxy:yes",
		"modparam(\"nathelper\", \"nortpproxy_str\", \"a=mangled\\r\\n\")\n": "c=|o=|a=oldoip:|a=oldcip:|a=mangled",
	} {
		b := moduletest.New(t, moduletest.Head("nathelper")+param+"route { fix_nated_sdp(\"rewrite-media-ip,rewrite-origin-ip,add-no-rtpproxy\"); forward(\"tls:127.0.0.1:5081\"); }\n", all...)
		b.Receive(invite("10.0.0.9:40000", "<sip:a@h>", "192.168.0.2"))
		if len(b.Sent) != 1 {
			t.Fatalf("%s: %v", param, b.Log)
		}
		_, body, _ := strings.Cut(b.Sent[0].Text, "\r\n\r\n")
		for _, w := range []string{"c=", "o=", "a=oldoip:", "a=oldcip:", "a=nortpproxy:yes", "a=mangled"} {
			if has, wanted := strings.Contains("\n"+body, "\n"+w), strings.Contains("|"+want+"|", "|"+w+"|"); has != wanted {
				t.Errorf("%s: %s is there: %v\n%s", param, w, has, body)
			}
		}
	}
}

// TestEnablePing turns pings off and on.
func TestEnablePing(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "nathelper")+"modparam(\"nathelper\", \"natping_interval\", 5)\nroute { exit; }\n", all...)
	for _, s := range []struct {
		params any
		want   string
	}{{nil, `{"Status":1}`}, {[]int{0}, `"OK"`}, {nil, `{"Status":0}`}, {[]int{1}, `"OK"`}, {[]int{7}, "status is 0 or 1"}, {nil, `{"Status":1}`}} {
		if got := b.Command(t, "nh_enable_ping", s.params); got != s.want {
			t.Errorf("%v: %s, want %s", s.params, got, s.want)
		}
	}
}
