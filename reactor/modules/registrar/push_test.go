package registrar_test

import (
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
)

var caps = regexp.MustCompile(`Feature-Caps: [^\r]*`)

// TestPush registers phones with push parameters (RFC 8599).
func TestPush(t *testing.T) {
	modules := append(all, sl.New, tm.New)
	text := moduletest.Head("signaling", "sl", "tm", "usrloc", "registrar") + `
modparam("registrar", "pn_enable", true)
modparam("registrar", "pn_providers", "apns, fcm")
modparam("registrar", "pn_enable_purr", true)
route { save("location"); }
`
	const pn = ";pn-provider=apns;pn-prid=x;pn-param=y"
	b := moduletest.New(t, text, modules...)
	for i, s := range []struct{ headers, want, caps string }{
		{"Contact: <sip:a@10.0.0.9:5061" + pn + ">;+sip.pnsreg", "200|Contact: <sip:a@10.0.0.9:5061" + pn + ">;expires=3600",
			`^Feature-Caps: \*;\+sip\.pns="apns";\+sip\.pnsreg="130";\+sip\.pnspurr="[0-9a-f]+"$`},
		{"Contact: <sip:b@10.0.0.8:9999;x=1" + pn + ">|Call-ID: two", "200|Contact: <sip:b@10.0.0.8:9999;x=1" + pn + ">;expires=3600",
			`^Feature-Caps: \*;\+sip\.pns="apns";\+sip\.pnspurr="[0-9a-f]+"$`},
		{"Contact: <sip:c@h;pn-provider=other;pn-prid=x;pn-param=y>", "555|P-Registrar-Error: Push Notification Service Not Supported", "^$"},
		{"Contact: <sip:c@h;pn-provider>", "200|Contact: <sip:b@10.0.0.8:9999;x=1" + pn + ">;expires=3600, <sip:c@h;pn-provider>;expires=3600", `^Feature-Caps: \*;\+sip\.pns="apns"$`},
		{"Contact: <sip:d@h>", "200|Contact: <sip:b@10.0.0.8:9999;x=1" + pn + ">;expires=3600, <sip:c@h;pn-provider>;expires=3600, <sip:d@h>;expires=3600", "^$"},
	} {
		b.Receive(register(i+1, s.headers))
		if got := answer(b); got != s.want {
			t.Errorf("%s:\ngot  %s\nwant %s", s.headers, got, s.want)
		}
		if got := caps.FindString(b.Sent[0].Text); !regexp.MustCompile(s.caps).MatchString(got) {
			t.Errorf("%s: %q, want %s", s.headers, got, s.caps)
		}
	}
	if got := b.Command(t, "ul_show_contact", []string{"location", "alice"}); strings.Count(got, `"Flags":4`) != 1 {
		t.Error(got)
	}
	for text, want := range map[string]string{
		"modparam(\"registrar\", \"pn_enable\", 1)\nroute { exit; }":      `pn_enable needs the module tm`,
		"modparam(\"registrar\", \"pn_enable_purr\", 1)\nroute { exit; }": `pn_enable_purr needs pn_enable`,
		"loadmodule \"sl.so\"\nloadmodule \"tm.so\"\nmodparam(\"registrar\", \"pn_enable\", 1)\nroute { async(pn_process_purr(\"location\"), r); }\nroute[r] { exit; }": `needs modparam("registrar", "pn_enable_purr", 1)`,
	} {
		if got := moduletest.Wrong(t, moduletest.Head("signaling", "usrloc", "registrar")+text, modules...); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
}
