package registrar_test

import (
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// message is a MESSAGE to a URI.
func message(uri string) []byte {
	return moduletest.CRLF("MESSAGE " + uri + " SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
		"From: <sip:bob@example.org>;tag=f\nTo: <" + uri + ">\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n")
}

var gruuParams = regexp.MustCompile(`pub-gruu="([^"]*)";temp-gruu="([^"]*)"`)

// TestGRUU gives phones GRUUs and reaches each by its own (RFC 5627).
func TestGRUU(t *testing.T) {
	b := bench(t, `
modparam("registrar", "disable_gruu", 0)
loadmodule "sipmsgops.so"
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	lookup("location"); $var(rc) = $rc;
	xlog("$var(rc) $ru $(msg.branch.uri[1])");
}
`)
	look := func(uri string) string {
		t.Helper()
		b.Receive(message(uri))
		return strings.ReplaceAll(strings.Join(b.Log, "|"), " <null>", "")
	}
	one := `Contact: <sip:a@192.0.2.1>;+sip.instance="<urn:uuid:1>"|Supported: gruu`
	two := `Contact: <sip:a@192.0.2.2>;q=1;+sip.instance="<urn:uuid:2 x>"|Supported: path, gruu`
	b.Receive(register(1, one))
	first := gruuParams.FindStringSubmatch(answer(b))
	if first == nil || first[1] != "sip:alice@example.org;gr=urn:uuid:1" || !strings.HasPrefix(first[2], "sip:tgruu.") || !strings.HasSuffix(first[2], "@example.org;gr") ||
		strings.Contains(first[2], "alice") || !strings.Contains(answer(b), `+sip.instance="<urn:uuid:1>"`) {
		t.Fatal(answer(b))
	}
	b.Receive(register(2, two))
	all := gruuParams.FindAllStringSubmatch(answer(b), -1)
	if len(all) != 2 || all[0][1] != "sip:alice@example.org;gr=urn:uuid:2%20x" || all[1][2] == first[2] {
		t.Fatal(answer(b))
	}
	for uri, want := range map[string]string{
		"sip:alice@example.org": "1 sip:a@192.0.2.2 sip:a@192.0.2.1",
		first[1]:                "1 sip:a@192.0.2.1", first[2]: "1 sip:a@192.0.2.1", all[1][2]: "1 sip:a@192.0.2.1",
		all[0][1]: "1 sip:a@192.0.2.2", all[0][2]: "1 sip:a@192.0.2.2",
		"sip:alice@example.org;gr=urn:uuid:3":                    "-1 sip:alice@example.org;gr=urn:uuid:3",
		"sip:tgruu.AAAA@example.org;gr":                          "-1 sip:tgruu.AAAA@example.org;gr",
		strings.Replace(first[2], "tgruu.", "tgruu.A", 1):        "-1 " + strings.Replace(first[2], "tgruu.", "tgruu.A", 1),
		strings.Replace(first[2], "sip:tgruu.", "sip:TGRUU.", 1): "-1 " + strings.Replace(first[2], "sip:tgruu.", "sip:TGRUU.", 1),
		"sip:alice@example.org;gr":                               "1 sip:a@192.0.2.2 sip:a@192.0.2.1",
	} {
		if got := look(uri); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
	// Another Call-ID ends the temporary ones of before, and no other.
	b.Receive(register(1, one+"|Call-ID: other"))
	if got := look(first[2]); !strings.HasPrefix(got, "-1 ") {
		t.Errorf("a temporary GRUU of another registration: %s", got)
	}
	if got := look(first[1]); got != "1 sip:a@192.0.2.1" {
		t.Errorf("the public one: %s", got)
	}
	// A phone that supports none gets none.
	b.Receive(register(9, strings.TrimSuffix(one, "|Supported: gruu")+"|Call-ID: third"))
	if strings.Contains(answer(b), "gruu") {
		t.Error(answer(b))
	}
}

// TestExtensions has headers of the 200, and phones that ask for what there is not.
func TestExtensions(t *testing.T) {
	b := bench(t, `
modparam("registrar", "service_route", "<sip:edge.example.org;lr>")
modparam("registrar", "flow_timer", 120)
modparam("registrar", "pn_providers", "apns, fcm")
route { save("location", "path-lazy"); }
`)
	flow := `Contact: <sip:a@h;ob>;+sip.instance="<urn:uuid:1>";reg-id=1`
	has := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if len(b.Sent) != 1 || !strings.Contains(b.Sent[0].Text, "\r\n"+w+"\r\n") {
				t.Errorf("no %s in\n%+v", w, b.Sent)
			}
		}
	}
	b.Receive(register(1, flow+"|Supported: outbound, path"))
	has("Service-Route: <sip:edge.example.org;lr>", "Flow-Timer: 120", "Require: outbound")
	b.Receive(register(2, flow))
	if got := b.Sent[0].Text; strings.Contains(got, "reg-id") || strings.Contains(got, "Flow-Timer") {
		t.Errorf("a reg-id without the support of outbound counts:\n%s", got)
	}
	several := strings.Replace(flow, "Contact: ", "Contact: <sip:b@h>, ", 1)
	b.Receive(register(3, several+"|Supported: outbound"))
	if got := answer(b); got != "400|P-Registrar-Error: reg-id with more than one contact" {
		t.Error(got)
	}
	b.Receive(register(4, "Contact: <sip:p@h;pn-provider=apns;pn-prid=1>"))
	if got := answer(b); !strings.HasPrefix(got, "200|") {
		t.Error(got)
	}
	b.Receive(register(5, "Contact: <sip:p@h;pn-provider=webpush;pn-prid=1>"))
	if !strings.HasPrefix(b.Sent[0].Text, "SIP/2.0 555 Push Notification Service Not Supported\r\n") {
		t.Error(b.Sent[0].Text)
	}
	far := []byte(strings.Replace(string(register(6, flow+"|Supported: outbound")), "Max-Forwards", "Via: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKx\r\nMax-Forwards", 1))
	b.Receive(far)
	if !strings.HasPrefix(b.Sent[0].Text, "SIP/2.0 439 First Hop Lacks Outbound Support\r\n") {
		t.Error(b.Sent[0].Text)
	}
}
