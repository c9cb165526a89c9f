package diversion_test

import (
	"bytes"
	"strings"
	"testing"

	"sipreactor/reactor/modules/diversion"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/tm"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, diversion.New) }

// TestDiversions: the one that was added last is the topmost, above those the message came with, and
// the URI is the one that the request came with.
func TestDiversions(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("diversion", "sipmsgops")+`modparam("diversion", "suffix", ";privacy=full")
route { add_diversion("user-busy"); $var(r) = "no answer"; $ru = "sip:carol@192.0.2.9:5061;transport=tls"; append_hf("X-Between: 1\r\n"); add_diversion($var(r)); xlog("$rc"); add_diversion($var(none)); xlog("$rc"); forward(); }
`, diversion.New)
	const uri = "<sip:+4930123@example.net:5070;transport=tls;user=phone>;reason="
	own := uri + `"no answer";privacy=full|` + uri + "user-busy;privacy=full"
	for _, c := range []struct{ had, want string }{{"", own}, {"Diversion: <sip:old@x>;reason=unknown\r\n", own + "|<sip:old@x>;reason=unknown"}} {
		b.Receive(bytes.Replace(moduletest.Invite, []byte("Contact:"), []byte(c.had+"Contact:"), 1))
		if len(b.Sent) != 1 || b.Sent[0].Header("Diversion") != c.want {
			t.Errorf("got %+v, want %s", b.Sent, c.want)
		}
		if got := strings.Join(b.Log, "|"); !strings.HasPrefix(got, "1|") || !strings.HasSuffix(got, "|-1") {
			t.Errorf("the codes are %s, want 1 and -1", got)
		}
	}
}

// TestFailure: in a failure_route it is there, too, and is of the next branch only once.
func TestFailure(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("tm", "diversion")+`route { $du = "sip:192.0.2.9:5061;transport=tls"; t_on_failure("f"); t_relay(); }
failure_route[f] { add_diversion("user-busy"); $ru = "sip:carol@192.0.2.8:5061;transport=tls"; $du = NULL; t_relay(); }
`, tm.New, diversion.New)
	b.Receive(moduletest.Invite)
	sent := b.Sent[len(b.Sent)-1]
	if sent.Header("Diversion") != "" {
		t.Fatalf("the first branch has one: %s", sent.Text)
	}
	b.Receive(moduletest.CRLF("SIP/2.0 486 Busy Here\nVia: " + strings.ReplaceAll(sent.Header("Via"), "|", "\nVia: ") + "\nFrom: " + sent.Header("From") + "\nTo: " + sent.Header("To") + ";tag=b\nCall-ID: " + sent.Header("Call-ID") + "\nCSeq: " + sent.Header("CSeq") + "\nContent-Length: 0\n\n"))
	if last := b.Sent[len(b.Sent)-1]; !strings.HasPrefix(last.Text, "INVITE sip:carol@") || last.Header("Diversion") != "<sip:+4930123@example.net:5070;transport=tls;user=phone>;reason=user-busy" {
		t.Errorf("the second branch: %s", last.Text)
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		`modparam("diversion", "suffix", "privacy")` + "\nroute { exit; }\n": "is ;name=value",
		`route { add_diversion(); }` + "\n":                                  "add_diversion",
		`startup_route { add_diversion("x"); }` + "\n":                       "startup_route",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("diversion")+text, diversion.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}
