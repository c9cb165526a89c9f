package registrar_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/registrar"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
)

var all = []script.Constructor{registrar.New, signaling.New, sipmsgops.New, usrloc.New}

func bench(t *testing.T, routes string) *moduletest.Bench {
	t.Helper()
	return moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar")+routes, all...)
}

const saving = "route {\n$var(rc) = 0; save(\"location\"%s); $var(rc) = $rc; xlog(\"save $var(rc)\");\n}\n"

// register is a REGISTER of alice: headers, with | between them.
func register(cseq int, headers string) []byte {
	b := fmt.Sprintf("REGISTER sip:example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK%d\nMax-Forwards: 70\n"+
		"From: <sip:alice@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: one\nCSeq: %d REGISTER\nUser-Agent: phone\n", cseq, cseq)
	for h := range strings.SplitSeq(headers, "|") {
		if h != "" {
			b += h + "\n"
		}
	}
	if strings.Contains(headers, "Call-ID:") {
		b = strings.Replace(b, "Call-ID: one\n", "", 1)
	}
	return moduletest.CRLF(b + "Content-Length: 0\n\n")
}

// answer is the status of the response with some of its headers.
func answer(b *moduletest.Bench) string {
	if len(b.Sent) != 1 {
		return fmt.Sprintf("%d messages", len(b.Sent))
	}
	lines := strings.Split(b.Sent[0].Text, "\r\n")
	out := lines[0][len("SIP/2.0 "):][:3]
	for _, l := range lines[1:] {
		if regexp.MustCompile(`^(Contact|P-Registrar-Error|Retry-After|Unsupported|Path|Min-Expires|Require):`).MatchString(l) {
			out += "|" + granted(l)
		}
	}
	return out
}

var expires = regexp.MustCompile(`expires=\d+`)

// granted returns a text with the times that were granted, in hundreds of seconds. Of those some may have passed: one more
// often than it seems, for it does with the clock.
func granted(text string) string {
	return expires.ReplaceAllStringFunc(text, func(s string) string {
		n, err := strconv.Atoi(s[len("expires="):])
		if left := n % 100; err == nil && n < 10_000 && left > 70 {
			n += 100 - left
		}
		return fmt.Sprint("expires=", n)
	})
}

// TestSave has what RFC 3261 10.3 and the module's documentation say, one REGISTER behind the other.
func TestSave(t *testing.T) {
	type step struct{ headers, want string }
	for _, c := range []struct {
		name, flags, params string
		steps               []step
	}{
		{"a phone comes, again, and goes", "", "", []step{
			{"Contact: <sip:a@10.0.0.9:5061;transport=tls>|Expires: 600", "200|Contact: <sip:a@10.0.0.9:5061;transport=tls>;expires=600"},
			{"Contact: <sip:a@10.0.0.9:5061;transport=tls>;expires=700|Expires: 600", "200|Contact: <sip:a@10.0.0.9:5061;transport=tls>;expires=700"},
			{"", "200|Contact: <sip:a@10.0.0.9:5061;transport=tls>;expires=700"},
			{"Contact: <sip:a@10.0.0.9:5061;transport=tls>|Expires: 0", "200"},
			{"", "200"},
		}},
		{"order", "", "", []step{
			{"Contact: <sip:n1@h>, <sip:q1@h>;q=0.1|Contact: \"A\" <sip:q2@h>;q=1.0", "200|Contact: <sip:q2@h>;q=1;expires=3600, <sip:q1@h>;q=0.1;expires=3600, <sip:n1@h>;expires=3600"},
		}},
		{"expiry", "", "modparam(\"registrar\", \"max_expires\", 1000)\n", []step{
			{"Contact: <sip:a@h>;expires=5", "200|Contact: <sip:a@h>;expires=60"},
			{"Contact: <sip:a@h>;expires=5000", "200|Contact: <sip:a@h>;expires=1000"},
			{"Contact: <sip:a@h>;expires=abc", "200|Contact: <sip:a@h>;expires=1000"},
			{"Contact: <sip:a@h>|Expires: -5", "400|P-Registrar-Error: Invalid Expires HF"},
		}},
		{"short expiry refused", "", "modparam(\"registrar\", \"refuse_short_expires\", 1)\n", []step{
			{"Contact: <sip:a@h>;expires=5", "423|P-Registrar-Error: Expires is too short|Min-Expires: 60"},
		}},
		{"all go", "", "", []step{
			{"Contact: <sip:a@h>, <sip:b@h>", "200|Contact: <sip:a@h>;expires=3600, <sip:b@h>;expires=3600"},
			{"Contact: *|Expires: 5", "400|P-Registrar-Error: * used in contact and expires is not zero"},
			{"Contact: *", "400|P-Registrar-Error: * used in contact and expires is not zero"},
			{"Contact: *, <sip:a@h>|Expires: 0", "400|P-Registrar-Error: * used in contact more than once"},
			{"Contact: *|Expires: 0", "200"},
		}},
		{"what is wrong", "", "", []step{
			{"Contact: <sip:a@h>;q=2", "400|P-Registrar-Error: Invalid q parameter in Contact HF"},
			{"Contact: <sip:+1@>", "400|P-Registrar-Error: Contact HF couldn't be parsed"},
			{"Contact: <sip:a@h>|Require: path, gruu, foo|Require: bar", "420|P-Registrar-Error: Unsupported extension|Unsupported: gruu, foo, bar"},
			{"Contact: <tel:+1234>|Require: path", "200|Contact: <tel:+1234>;expires=3600"},
		}},
		{"too many", ", \"max-contacts=2\"", "modparam(\"registrar\", \"retry_after\", 30)\n", []step{
			{"Contact: <sip:a@h>, <sip:b@h>", "200|Contact: <sip:a@h>;expires=3600, <sip:b@h>;expires=3600"},
			{"Contact: <sip:c@h>", "503|Contact: <sip:a@h>;expires=3600, <sip:b@h>;expires=3600|P-Registrar-Error: Too many registered contacts|Retry-After: 30"},
		}},
		{"the oldest gives way", ", \"max-contacts=1, force-registration\"", "", []step{
			{"Contact: <sip:a@h>", "200|Contact: <sip:a@h>;expires=3600"},
			{"Contact: <sip:b@h>", "200|Contact: <sip:b@h>;expires=3600"},
		}},
		{"the reply has the request's contacts alone, and the others stay", ", \"only-request-contacts\"", "", []step{
			{"Contact: <sip:a@h>", "200|Contact: <sip:a@h>;expires=3600"},
			{"Contact: <sip:b@h>", "200|Contact: <sip:b@h>;expires=3600"},
			{"", "200"},
			{"Contact: <sip:a@h>, <sip:b@h>", "200|Contact: <sip:a@h>;expires=3600, <sip:b@h>;expires=3600"},
		}},
		{"who asks for too much", "", "", []step{
			{"Contact: <sip:a@h>;expires=99999999999999999999", "200|Contact: <sip:a@h>;expires=3600"},
			{"Contact: <sip:a@h>;expires=4294967295", "200|Contact: <sip:a@h>;expires=4294967295"},
			{"Contact: <sip:a@h>|Expires: 99999999999", "400|P-Registrar-Error: Invalid Expires HF"},
			{"Contact: " + strings.Repeat("<sip:x@h>, ", 99) + "<sip:x@h>", "400|P-Registrar-Error: More than 64 contacts"},
			{"Contact: <sip:" + strings.Repeat("x", 300) + "@h>", "400|P-Registrar-Error: Contact is too long"},
			{"Contact: <sip:a@h>;expires=0|Path: <sip:stranger;lr>", "200"},
		}},
		{"letters of older versions", ", \"c1f\"", "", []step{
			{"Contact: <sip:a@h>", "200|Contact: <sip:a@h>;expires=3600"},
			{"Contact: <sip:b@h>", "200|Contact: <sip:b@h>;expires=3600"},
		}},
		{"path lazy", ", \"path-lazy\"", "", []step{
			{"Contact: <sip:a@h>|Path: <sip:p1;lr>, <sip:p2;lr>|Supported: path", "200|Contact: <sip:a@h>;expires=3600|Path: <sip:p1;lr>, <sip:p2;lr>"},
			{"Contact: <sip:a@h>|Path: <sip:p1;lr>", "200|Contact: <sip:a@h>;expires=3600"},
		}},
		{"path strict stores nothing without support", ", \"path-strict\"", "", []step{
			{"Contact: <sip:a@h>|Path: <sip:p1;lr>", "420|P-Registrar-Error: No support for found Path indicated|Unsupported: path"},
			{"", "200"},
		}},
		{"by a parameter", ", \"matching-mode=<line>\"", "", []step{
			{"Contact: <sip:a@h;line=7>", "200|Contact: <sip:a@h;line=7>;expires=3600"},
			{"Contact: <sip:a@other:99;line=7>", "200|Contact: <sip:a@other:99;line=7>;expires=3600"},
		}},
		{"outbound", "", "", []step{
			{`Contact: <sip:a@h>;+sip.instance="<urn:uuid:1>";reg-id=1|Supported: path, outbound`, `200|Contact: <sip:a@h>;expires=3600;+sip.instance="<urn:uuid:1>";reg-id=1|Require: outbound`},
			{`Contact: <sip:b@h>;+sip.instance="<urn:uuid:1>";reg-id=1|Supported: path, outbound`, `200|Contact: <sip:b@h>;expires=3600;+sip.instance="<urn:uuid:1>";reg-id=1|Require: outbound`},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t, c.params+fmt.Sprintf(saving, c.flags))
			for i, s := range c.steps {
				b.Receive(register(i+1, s.headers))
				if got := answer(b); got != s.want {
					t.Fatalf("step %d: %s\ngot  %s\nwant %s\n%v", i+1, s.headers, got, s.want, b.Log)
				}
				rc := "save 1"
				if !strings.HasPrefix(s.want, "200") {
					rc = "save -2"
				}
				if len(b.Log) != 1 || b.Log[0] != rc {
					t.Errorf("step %d: logged %q, want %q", i+1, b.Log, rc)
				}
			}
		})
	}
}

// TestSharedCallID: two phones that have one Call-ID are two, and "*" is for the highest CSeq of both.
func TestSharedCallID(t *testing.T) {
	b := bench(t, fmt.Sprintf(saving, ""))
	for _, s := range []struct {
		seq           int
		headers, want string
	}{
		{9, "Contact: <sip:a@h>", "200|Contact: <sip:a@h>;expires=3600"},
		{3, "Contact: <sip:b@h>", "200|Contact: <sip:a@h>;expires=3600, <sip:b@h>;expires=3600"},
		{4, "Contact: *|Expires: 0", "400|P-Registrar-Error: Invalid CSeq number"},
		{10, "Contact: *|Expires: 0", "200"},
	} {
		b.Receive(register(s.seq, s.headers))
		if got := answer(b); got != s.want {
			t.Errorf("%d %s:\ngot  %s\nwant %s", s.seq, s.headers, got, s.want)
		}
	}
}

func TestLowCSeq(t *testing.T) {
	b := bench(t, fmt.Sprintf(saving, ""))
	b.Receive(register(5, "Contact: <sip:a@h>"))
	b.Receive(register(4, "Contact: <sip:a@h>;expires=0"))
	if got := answer(b); got != "400|P-Registrar-Error: Invalid CSeq number" {
		t.Error(got)
	}
	b.Receive(register(1, "Contact: <sip:a@h>;expires=0|Call-ID: two"))
	if got := answer(b); got != "200" {
		t.Error(got)
	}
}

// TestLookup looks for contacts that were registered before.
func TestLookup(t *testing.T) {
	for _, c := range []struct {
		name, registered, flags, want string
	}{
		{"nobody", "", "", "-1"},
		{"one", "Contact: <sip:a@192.0.2.9;x=1>;q=0.5", "", "1 sip:a@192.0.2.9;x=1 q=0.5"},
		{"several", "Contact: <sip:a@192.0.2.9>;q=0.5, <sip:b@192.0.2.9>, <sip:c@192.0.2.9>;q=1", "", "1 sip:c@192.0.2.9 q=1 sip:a@192.0.2.9 sip:b@192.0.2.9"},
		{"the best alone", "Contact: <sip:a@192.0.2.9>;q=0.5, <sip:c@192.0.2.9>;q=1", ", \"no-branches\"", "1 sip:c@192.0.2.9 q=1"},
		{"branches only", "Contact: <sip:a@192.0.2.9>", ", \"to-branches-only\"", "1 sip:alice@example.org q= sip:a@192.0.2.9"},
		{"takes no such method", "Contact: <sip:a@192.0.2.9>|Allow: INVITE, ACK", ", \"method-filtering\"", "-2"},
		{"takes it", "Contact: <sip:a@192.0.2.9>|Allow: INVITE, MESSAGE", ", \"m\"", "1 sip:a@192.0.2.9 q="},
		{"another agent", "Contact: <sip:a@192.0.2.9>", ", \"ua-filtering=/snom/\"", "-1"},
		{"the agent", "Contact: <sip:a@192.0.2.9>", ", \"ua-filtering=/PHONE/i\"", "1 sip:a@192.0.2.9 q="},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t, `
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	lookup("location"`+c.flags+`); $var(rc) = $rc;
	if ($var(rc) < 0) { xlog("$var(rc)"); exit; }
	xlog("$var(rc) $ru q=$ru_q");
	$var(i) = 1;
	while ($(msg.branch.uri[$var(i)]) != NULL) { xlog("$(msg.branch.uri[$var(i)])"); $var(i) = $var(i) + 1; }
}
loadmodule "sipmsgops.so"
`)
			if c.registered != "" {
				b.Receive(register(1, c.registered))
			}
			b.Receive(moduletest.CRLF("MESSAGE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
				"From: <sip:bob@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
			if got := strings.ReplaceAll(strings.Join(b.Log, " "), "<null>", ""); got != c.want {
				t.Errorf("got %q, want %q", b.Log, c.want)
			}
		})
	}
}

// TestFlow reaches a phone by the connection that it registered over.
func TestFlow(t *testing.T) {
	b := bench(t, `
modparam("registrar", "received_avp", "$avp(rcv)")
loadmodule "sipmsgops.so"
route {
	if (is_method("REGISTER")) { $avp(rcv) = "sip:" + $si + ":" + $sp + ";transport=tls"; save("location"); exit; }
	if (lookup("location")) forward();
}
`)
	b.Receive(register(1, "Contact: <sip:a@192.168.1.9:5061;transport=tls>"))
	if got := answer(b); got != `200|Contact: <sip:a@192.168.1.9:5061;transport=tls>;expires=3600;received="sip:10.0.0.9:40000;transport=tls"` {
		t.Fatal(got)
	}
	b.Receive([]byte(strings.Replace(string(moduletest.Invite), "sip:+4930123@example.net:5070;transport=tls;user=phone SIP", "sip:alice@example.org SIP", 1)))
	if len(b.Sent) != 1 || b.Sent[0].Target.Conn != b.Source.Conn || b.Sent[0].Target.Addr.IsValid() {
		t.Fatalf("sent %+v %v", b.Sent, b.Log)
	}
	if !strings.HasPrefix(b.Sent[0].Text, "INVITE sip:a@192.168.1.9:5061;transport=tls SIP/2.0\r\n") {
		t.Error(b.Sent[0].Text)
	}
}

func TestErrors(t *testing.T) {
	head := moduletest.Head("signaling", "usrloc", "registrar")
	for text, want := range map[string]string{
		"modparam(\"registrar\", \"received_param\", \"a b\")\nroute { exit; }":                                  `is no name`,
		"modparam(\"registrar\", \"sock_hdr_name\", \"Sock:\")\nroute { exit; }":                                 `is no name`,
		`route { save("location", "nonsense"); }`:                                                                `unknown flag "nonsense": memory-only, `,
		`route { lookup("location", "nonsense"); }`:                                                              `unknown flag "nonsense": no-branches, `,
		`route { save("location", "nonsense-flag"); }`:                                                           `unknown flag "nonsense-flag"`,
		`route { save("location", "max-contacts=x"); }`:                                                          `max-contacts wants a number`,
		`route { save("location", "max-contacts"); }`:                                                            `=value is for`,
		`route { lookup("location", "ua-filtering=snom"); }`:                                                     `ua-filtering wants /regexp/`,
		`route { is_ip_registered("location"); }`:                                                                `the address must be given`,
		`route { lookup("location", "branch,no-branches"); }`:                                                    `exclude one another`,
		`route { lookup("location", "max-ping-latency=soon"); }`:                                                 `max-ping-latency wants microseconds`,
		`route { save(""); }`:                                                                                    `the name of a table cannot be empty`,
		"modparam(\"registrar\", \"service_route\", \"sip:h\")\nroute { exit; }":                                 `service_route wants URIs in <>`,
		"modparam(\"usrloc\", \"working_mode_preset\", \"sql-only\")\nroute { exit; }":                           `need modparam("usrloc", "db_url", "...")`,
		"modparam(\"usrloc\", \"working_mode_preset\", \"full-sharing-cluster\")\nroute { exit; }":               `working_mode_preset "full-sharing-cluster" is not supported`,
		"modparam(\"usrloc\", \"db_mode\", 3)\nmodparam(\"usrloc\", \"remove_on_flow_end\", 1)\nroute { exit; }": `remove_on_flow_end is not for sql-only`,
		`route { ul_add_key("", "alice", "x"); }`:                                                                `the name of a table cannot be empty`,
		"modparam(\"usrloc\", \"working_mode_preset\", \"single-instance-sql-write-back\")\nroute { exit; }":     `need modparam("usrloc", "db_url", "...")`,
	} {
		if got := moduletest.Wrong(t, head+text, all...); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("registrar", "signaling")+"route { exit; }", all...); !strings.Contains(got, "the module registrar needs the module usrloc") {
		t.Error(got)
	}
}
