package registrar_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// TestFlagsOutliveReload: branch flags of contacts are kept by name, whatever numbers they have behind a reload.
func TestFlagsOutliveReload(t *testing.T) {
	text := func(first string) string {
		return moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops") + `
route {
	if ($rU == "nobody") { ` + first + ` }
	if (is_method("REGISTER")) { setbflag("NAT"); setbflag("SIP"); save("location"); exit; }
	lookup("location"); $var(rc) = $rc;
	$var(flags) = "";
	if (isbflagset("NAT")) $var(flags) = $var(flags) + " NAT";
	if (isbflagset("SIP")) $var(flags) = $var(flags) + " SIP";
	if (isbflagset("FAX")) $var(flags) = $var(flags) + " FAX";
	send_reply(486, "$var(rc)$var(flags)");
}
`
	}
	look := func(b *moduletest.Bench) string {
		b.Receive(moduletest.CRLF("MESSAGE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
			"From: <sip:bob@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
		line, _, _ := strings.Cut(b.Sent[0].Text, "\r\n")
		return line + " " + b.Command(t, "ul_show_contact", []string{"location", "alice"})
	}
	want := func(when, got string) {
		t.Helper()
		if !strings.HasPrefix(got, "SIP/2.0 486 1 NAT SIP ") || strings.Contains(got, "FAX") ||
			!strings.Contains(got, `"Cflags":"NAT SIP"`) && !strings.Contains(got, `"Cflags":"SIP NAT"`) {
			t.Errorf("%s: %s", when, got)
		}
	}
	b := moduletest.New(t, text(`setbflag("NAT");`), all...)
	b.Receive(register(1, "Contact: <sip:a@192.0.2.9>"))
	want("before", look(b))
	for _, first := range []string{`setbflag("FAX"); setbflag("SIP");`, `setbflag("SIP");`, `setbflag("NAT");`} {
		reload(t, b, text(first), all...)
		want("behind a reload with "+first, look(b))
	}
}
