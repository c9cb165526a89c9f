package topology_hiding_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/topology_hiding"
	"sipreactor/reactor/script"
)

var (
	aloneModules = []script.Constructor{tm.New, sl.New, signaling.New, rr.New, topology_hiding.New}
	aloneHead    = moduletest.Head("tm", "sl", "signaling", "rr", "sipmsgops", "topology_hiding", "proto_udp", "proto_tcp")
)

// newAlone makes a call without a dialog.
func newAlone(t *testing.T, params, flags string) *call {
	t.Helper()
	text := strings.ReplaceAll(routes, "$DLG_status $DLG_dir", "hidden")
	return &call{t: t, ids: [2]string{"c1", "c1"}, Bench: moduletest.New(t, aloneHead+params+strings.Replace(text, "FLAGS", flags, 1), aloneModules...)}
}

var infoContact = regexp.MustCompile(`^<sip:edge\.example\.org:5061;transport=tls;thinfo=[A-Za-z0-9_-]{60,}>$`)

// TestAlone follows a call that has no dialog: what each side gets says nothing of the other, and requests find their way.
func TestAlone(t *testing.T) {
	for _, params := range []string{"", "modparam(\"topology_hiding\", \"th_contact_encode_passwd\", \"secret\")\n",
		"modparam(\"topology_hiding\", \"th_contact_encode_scheme\", \"base32\")\n"} {
		c := newAlone(t, params, "")
		c.up()
		for _, s := range [][]string{c.inner, c.outer} {
			for _, text := range s {
				if got := header(t, text, "Contact"); got != "" && !infoContact.MatchString(got) {
					t.Errorf("Contact: %s", got)
				}
				if !strings.HasPrefix(text, "SIP/2.0 ") && (header(t, text, "Record-Route") != "" || strings.Contains(header(t, text, "Via"), "|")) {
					t.Errorf("the way is shown:\n%s", text)
				}
			}
		}
		ack := c.sent(&c.outer, "ACK sip:bob.outer@192.0.2.9;transport=tls ")
		if got := header(t, ack, "Route"); got != "<sip:198.51.100.7;transport=tls;lr>" {
			t.Errorf("Route: %s", got)
		}
		for _, s := range c.inner {
			if strings.HasPrefix(s, "SIP/2.0 200 ") && (header(t, s, "Via") != trail || header(t, s, "Record-Route") != "<sip:10.1.1.2:5061;transport=tls;lr> | <sip:10.1.1.1;lr>") {
				t.Errorf("%s", s)
			}
		}
		// A target refresh whose proxies do not record their route again leaves that as it was.
		c.request("UPDATE", "2", false)
		update := c.sent(&c.outer, "UPDATE sip:bob.outer@192.0.2.9;transport=tls ")
		c.aims[1] = strings.Trim(header(t, update, "Contact"), "<>")
		c.answer(update, "200 OK", callee, "Contact: <sip:bob.outer@192.0.2.9;transport=tls>")
		c.aims[0] = strings.Trim(header(t, c.sent(&c.inner, "SIP/2.0 200 "), "Contact"), "<>")
		c.request("BYE", "1", true)
		bye := c.sent(&c.inner, "BYE sip:alice.inner@10.0.0.9:40000;transport=udp;ob ")
		if got := header(t, bye, "Route"); got != "<sip:10.1.1.2:5061;transport=tls;lr>, <sip:10.1.1.1;lr>" {
			t.Errorf("Route: %s", got)
		}
		c.answer(bye, "200 OK", c.Source)
		c.request("INFO", "3", false)
		if got := header(t, c.sent(&c.outer, "INFO "), "Route"); got != "<sip:198.51.100.7;transport=tls;lr>" {
			t.Errorf("Route: %s", got)
		}
		c.seek()
	}
}

// TestAloneUsers are those of the flag U and of the second argument, in later requests, too.
func TestAloneUsers(t *testing.T) {
	for _, x := range []struct{ flags, callee, caller string }{{`"U"`, "alice.inner", "bob.outer"}, {`"U", "/one/two"`, "two", "one"}, {`, "both"`, "both", "both"}} {
		c := newAlone(t, "", x.flags)
		c.up()
		c.request("UPDATE", "2", false)
		c.request("UPDATE", "3", true)
		for _, s := range c.outer {
			if got := header(t, s, "Contact"); got != "" && !strings.HasPrefix(got, "<sip:"+x.callee+"@edge.") {
				t.Errorf("%s: the callee is shown %s", x.flags, got)
			}
		}
		for _, s := range c.inner {
			if got := header(t, s, "Contact"); got != "" && !strings.HasPrefix(got, "<sip:"+x.caller+"@edge.") {
				t.Errorf("%s: the caller is shown %s", x.flags, got)
			}
		}
	}
}

// TestAloneForged: what was changed, cut, comes from another call or was sealed by another secret is no Contact of ours.
func TestAloneForged(t *testing.T) {
	other := newAlone(t, "modparam(\"topology_hiding\", \"th_contact_encode_passwd\", \"other\")\n", "")
	other.up()
	for name, change := range map[string]func(c *call){
		"changed": func(c *call) {
			other := "A" // a character of the alphabet, or it is another URI
			if c.aims[0][100] == 'A' {
				other = "B"
			}
			c.aims[0] = c.aims[0][:100] + other + c.aims[0][101:]
		},
		"cut":            func(c *call) { c.aims[0] = c.aims[0][:len(c.aims[0])-4] },
		"empty":          func(c *call) { c.aims[0] = "sip:edge.example.org:5061;transport=tls;thinfo=" },
		"no value":       func(c *call) { c.aims[0] = "sip:edge.example.org:5061;transport=tls;thinfo" },
		"another call":   func(c *call) { c.ids[0] = "c2" },
		"another secret": func(c *call) { c.aims[0] = other.aims[0] },
	} {
		c := newAlone(t, "", "")
		c.up()
		change(c)
		c.request("INFO", "2", false)
		if got := strings.Join(c.Log, "|"); got != "no call" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestAloneShared: nodes with the same file read each other's Contacts, and one call does not show what another does.
func TestAloneShared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(strings.Repeat("k", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	params := "modparam(\"topology_hiding\", \"th_contact_encode_key_file\", \"" + file + "\")\nmodparam(\"topology_hiding\", \"th_contact_encode_param\", \"x\")\n"
	one, two := newAlone(t, params, ""), newAlone(t, params, "")
	one.up()
	two.aims, two.ids = one.aims, one.ids
	two.request("INFO", "2", false)
	two.sent(&two.outer, "INFO sip:bob.outer@192.0.2.9;transport=tls ")
	three := newAlone(t, params, "")
	three.ids = [2]string{"c3", "c3"}
	three.up()
	a, b := one.aims[1], three.aims[1]
	if i := strings.Index(a, ";x="); i < 0 || a[i+3:i+20] == b[i+3:i+20] {
		t.Errorf("two calls are alike:\n%s\n%s", a, b)
	}
	for text, want := range map[string]string{
		"modparam(\"topology_hiding\", \"th_contact_encode_passwd\", \"p\")\n" + params: "are two secrets",
		"modparam(\"topology_hiding\", \"th_contact_encode_key_file\", \"/nowhere\")\n": "/nowhere",
		"modparam(\"topology_hiding\", \"th_contact_encode_scheme\", \"rot13\")\n":      "base64 or base32",
		"modparam(\"topology_hiding\", \"th_contact_encode_param\", \"a;b\")\n":         "letters, digits",
		"modparam(\"topology_hiding\", \"force_dialog\", 1)\n":                          "force_dialog needs the module dialog",
	} {
		if got := moduletest.Wrong(t, aloneHead+text+"route { exit; }", aloneModules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// TestAlonePasswords: while passwords change, calls that began under the one before go on, and what they are shown next is
// sealed by the new one.
func TestAlonePasswords(t *testing.T) {
	param := func(name, value string) string {
		return "modparam(\"topology_hiding\", \"" + name + "\", \"" + value + "\")\n"
	}
	const name = "th_contact_encode_param_password"
	before := newAlone(t, param(name, "old:first"), "")
	before.up()
	both := newAlone(t, param(name, "old:first")+param(name, "fresh:second:L")+param("th_use_param", "fresh"), "")
	both.aims, both.ids = before.aims, before.ids
	both.request("UPDATE", "2", false)
	update := both.sent(&both.outer, "UPDATE sip:bob.outer@192.0.2.9;transport=tls ")
	if got := header(t, update, "Contact"); !strings.Contains(got, ";fresh=") {
		t.Errorf("Contact: %s", got)
	}
	both.answer(update, "200 OK", callee, "Contact: <sip:bob.outer@192.0.2.9;transport=tls>")
	after := newAlone(t, param(name, "fresh:second"), "")
	after.ids = before.ids
	after.aims[0] = strings.Trim(header(t, both.sent(&both.inner, "SIP/2.0 200 "), "Contact"), "<>")
	after.request("INFO", "3", false)
	after.sent(&after.outer, "INFO sip:bob.outer@192.0.2.9;transport=tls ")
	after.aims[0] = before.aims[0]
	after.request("INFO", "4", false)
	if got := strings.Join(after.Log, "|"); got != "no call" {
		t.Errorf("the old password is good: %s", got)
	}
	for text, want := range map[string]string{
		param(name, "a b"):                      "letters, digits",
		param(name, "a:"):                       "empty password",
		param(name, "a:p:X"):                    "C or L",
		param(name, "a:p") + param(name, "a:q"): "there twice",
		param(name, "a:p") + param(name, "b:q") + param(name, "c:r"): "more than 2 times",
		param(name, "a:p") + param("th_use_param", "b"):              "th_use_param names b",
		param(name, "a:p") + param("th_contact_encode_passwd", "q"):  "one has to go",
	} {
		if got := moduletest.Wrong(t, aloneHead+text+"route { exit; }", aloneModules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// TestAloneSubscription: any request that begins something can be hidden.
func TestAloneSubscription(t *testing.T) {
	c := newAlone(t, "", "")
	c.receive([]string{"SUBSCRIBE sip:bob@192.0.2.9;transport=tls SIP/2.0", "Via: SIP/2.0/TLS 10.1.1.2:5061;branch=z9hG4bK-inn-2", "Max-Forwards: 70",
		"From: <sip:alice@example.net>;tag=a", "To: <sip:bob@example.net>", "Call-ID: c1", "CSeq: 1 SUBSCRIBE", "Event: presence",
		"Contact: <sip:alice.inner@10.0.0.9:40000>"}, c.Source)
	out := c.sent(&c.outer, "SUBSCRIBE ")
	c.aims[1] = strings.Trim(header(t, out, "Contact"), "<>")
	c.answer(out, "200 OK", callee, "Contact: <sip:bob.outer@192.0.2.9;transport=tls>")
	c.sent(&c.inner, "SIP/2.0 200 ")
	c.request("NOTIFY", "1", true, "Event: presence")
	c.sent(&c.inner, "NOTIFY sip:alice.inner@10.0.0.9:40000 ")
	c.seek()
}

// TestSame: with a and A each side sees the same Contact all along, whatever the other's user is.
func TestSame(t *testing.T) {
	c := newCall(t, routes, `"UaA"`)
	c.up()
	shown := func(list []string) map[string]bool {
		all := map[string]bool{}
		for _, s := range list {
			if got := header(t, s, "Contact"); got != "" {
				all[got] = true
			}
		}
		return all
	}
	c.request("UPDATE", "2", false)
	c.receive([]string{"UPDATE " + c.aims[1] + " SIP/2.0", "Via: SIP/2.0/TLS 198.51.100.7;branch=z9hG4bK-out-u", "Max-Forwards: 70",
		"From: <sip:bob@example.net>;tag=b", "To: <sip:alice@example.net>;tag=a", "Call-ID: c1", "CSeq: 3 UPDATE", "Contact: <sip:other.outer@192.0.2.9;transport=tls>"}, callee)
	c.sent(&c.inner, "UPDATE ")
	if in, out := shown(c.inner), shown(c.outer); len(in) != 1 || len(out) != 1 {
		t.Errorf("%v %v", in, out)
	}
}
