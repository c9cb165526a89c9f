package sst_test

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/sst"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

var all = []script.Constructor{sst.New, tm.New, sl.New, rr.New, dialog.New}

var head = moduletest.Head("tm", "sl", "rr", "sipmsgops", "dialog", "sst") + `modparam("sst", "sst_flag", "SST")
modparam("dialog", "default_timeout", 5000)
`

const routes = `route {
	if (has_totag()) { loose_route(); xlog("later $DLG_timeout"); t_relay(); exit; }
	setflag("SST");
	create_dialog();
	xlog("$rc $DLG_timeout");
	record_route();
	$du = "sip:192.0.2.9;transport=tls";
	t_relay();
}
`

func TestDocumented(t *testing.T) { moduletest.Documented(t, sst.New) }

func request(method, cseq, to, more string) []byte {
	return moduletest.CRLF(method + " sip:bob@192.0.2.9;transport=tls SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9;branch=z9hG4bK" + method + cseq + "\nMax-Forwards: 70\nFrom: <sip:alice@example.org>;tag=f\n" +
		"To: <sip:bob@example.org>" + to + "\nCall-ID: n\nCSeq: " + cseq + " " + method + "\nContact: <sip:alice@10.0.0.9:40000;transport=tls>\n" + more + "Content-Length: 0\n\n")
}

// answer answers the last request that was sent on. It returns its Record-Routes as Route.
func answer(t *testing.T, b *moduletest.Bench, status, more string) (routes string) {
	t.Helper()
	text := b.Sent[len(b.Sent)-1].Answer(t, status, append([]string{"Contact: <sip:bob@192.0.2.9;transport=tls>"}, strings.FieldsFunc(more, func(r rune) bool { return r == '\n' })...)...)
	for line := range strings.Lines(string(text)) {
		if _, route, ok := strings.Cut(line, "Record-Route: "); ok {
			routes += "Route: " + strings.TrimSpace(route) + "\n"
		}
	}
	b.Log, b.Sent = nil, nil
	b.Context.Receive(text, moduletest.Callee(netip.MustParseAddrPort("192.0.2.9:5061")))
	return routes
}

// TestAsked looks at what the INVITE goes on with, what the 2xx goes back with, and how long the dialog lasts.
func TestAsked(t *testing.T) {
	for _, c := range []struct {
		name, params, asks string
		out                string // Session-Expires|Min-SE of the INVITE
		says               string // in the 200
		back               string // Session-Expires|Require of it
		lasts              string // from then on
	}{
		{"both know", "", "Supported: timer\nSession-Expires: 2000\n", "2000|", "Session-Expires: 1900;refresher=uas\n", "1900;refresher=uas|", "1900"},
		{"compact", "", "k: 100rel, timer\nx: 2000;refresher=uac\n", "2000;refresher=uac|", "Session-Expires: 1900\n", "1900|", "1900"},
		{"the caller alone", "", "Supported: timer\n", "1800|", "", "1800;refresher=uac|timer", "1800"},
		{"the callee alone", "", "", "1800|1800", "Session-Expires: 1850;refresher=uas\n", "1850;refresher=uas|", "1850"},
		{"nobody", "", "", "1800|1800", "", "|", "5000"},
		{"an interval", `modparam("sst", "sst_interval", 2400)` + "\n", "Supported: timer\n", "2400|", "", "2400;refresher=uac|timer", "2400"},
		{"Min-SE", "", "Supported: timer\nMin-SE: 3000\n", "3000|3000", "", "3000;refresher=uac|timer", "3000"},
		{"min_se", `modparam("sst", "min_se", 90)` + "\n", "Supported: timer\nSession-Expires: 100\n", "100|", "Require: timer\nSession-Expires: 100;refresher=uac\n", "100;refresher=uac|timer", "100"},
		{"too small and let pass", `modparam("sst", "reject_to_small", 0)` + "\n", "Supported: timer\nSession-Expires: 200\n", "200|", "Session-Expires: 200\n", "200|", "200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := moduletest.New(t, head+c.params+routes, all...)
			b.Receive(request("INVITE", "1", "", c.asks))
			out := b.Sent[len(b.Sent)-1]
			if got := out.Header("Session-Expires") + out.Header("x") + "|" + out.Header("Min-SE"); got != c.out {
				t.Errorf("the INVITE has %s, want %s:\n%s", got, c.out, out.Text)
			}
			if !strings.Contains(out.Text, "x: ") && strings.Count(out.Text, "Session-Expires:") != 1 {
				t.Errorf("several:\n%s", out.Text)
			}
			way := answer(t, b, "200 OK", c.says)
			if got := b.Sent[0].Header("Session-Expires") + "|" + b.Sent[0].Header("Require"); got != c.back {
				t.Errorf("the 200 has %s, want %s:\n%s", got, c.back, b.Sent[0].Text)
			}
			b.Receive(request("ACK", "1", ";tag=b", way))
			if len(b.Log) == 0 || b.Log[0] != "later "+c.lasts {
				t.Errorf("it lasts %q, want %s", b.Log, c.lasts)
			}
		})
	}
}

// TestRefreshed has a later INVITE and UPDATE say anew how long the dialog lasts.
func TestRefreshed(t *testing.T) {
	b := moduletest.New(t, head+routes, all...)
	b.Receive(request("INVITE", "1", "", "Supported: timer\nSession-Expires: 2000\n"))
	way := answer(t, b, "200 OK", "Session-Expires: 2000\n")
	b.Receive(request("ACK", "1", ";tag=b", way))
	for i, c := range []struct{ method, asks, says, out, back, lasts string }{
		{"UPDATE", "Supported: timer\nSession-Expires: 2500\n", "Session-Expires: 2500\n", "2500", "2500", "2500"},
		{"INVITE", "Supported: timer\n", "", "1800", "1800;refresher=uac", "1800"},
		{"UPDATE", "", "", "1800", "", "5000"},
		{"INFO", "Session-Expires: 100\n", "Session-Expires: 100\n", "100", "100", "5000"},
	} {
		cseq := string(rune('2' + 2*i))
		b.Receive(request(c.method, cseq, ";tag=b", way+c.asks))
		if got := b.Sent[len(b.Sent)-1].Header("Session-Expires"); got != c.out {
			t.Errorf("%+v goes on with %q", c, got)
		}
		answer(t, b, "200 OK", c.says)
		if got := b.Sent[0].Header("Session-Expires"); got != c.back {
			t.Errorf("%+v goes back with %q", c, got)
		}
		method := "ACK"
		if c.method != "INVITE" {
			method, cseq = "OPTIONS", string(rune('3'+2*i))
		}
		b.Receive(request(method, cseq, ";tag=b", way))
		if len(b.Log) == 0 || b.Log[0] != "later "+c.lasts {
			t.Errorf("%+v: it lasts %q", c, b.Log)
		}
	}
}

// TestTooSmall refuses a session that is too short.
func TestTooSmall(t *testing.T) {
	b := moduletest.New(t, head+routes, all...)
	b.Receive(request("INVITE", "1", "", "Supported: timer\nSession-Expires: 1799\n"))
	if b.Status() != "100 422" || b.Sent[1].Header("Min-SE") != "1800" || len(b.Log) != 0 {
		t.Errorf("create_dialog() answers %s %+v %q", b.Status(), b.Sent, b.Log)
	}
	b = moduletest.New(t, strings.Replace(head, `modparam("sst", "sst_flag"`, `modparam("sst", "min_se", 600)`+"\n"+`modparam("sst", "sst_flag"`, 1)+
		`route { if (sstCheckMin($(hdr(X-Reply){s.int}))) { xlog("small"); exit; } xlog("fine"); }`+"\n", all...)
	for _, c := range []struct{ more, log, sent string }{
		{"X-Reply: 1\n", "fine", ""},
		{"X-Reply: 1\nSession-Expires: 600\n", "fine", ""},
		{"X-Reply: 1\nSession-Expires: 599;refresher=uac\n", "small", "422"},
		{"X-Reply: 0\nSession-Expires: 599\n", "small", ""},
		{"X-Reply: 1\nSession-Expires: 700\nMin-SE: 500\n", "small", "422"},
		{"X-Reply: 1\nSession-Expires: many\n", "fine", ""},
	} {
		b.Receive(request("INVITE", "1", "", c.more))
		if strings.Join(b.Log, "|") != c.log || b.Status() != c.sent {
			t.Errorf("%q: %q %s", c.more, b.Log, b.Status())
		}
		if c.sent != "" && b.Sent[0].Header("Min-SE") != "600" {
			t.Errorf("%q: %s", c.more, b.Sent[0].Text)
		}
	}
}

func TestWrong(t *testing.T) {
	base := moduletest.Head("tm", "rr", "dialog", "sst")
	for text, want := range map[string]string{
		"route { exit; }\n": `sst needs modparam("sst", "sst_flag"`,
		`modparam("sst", "sst_flag", "S")` + "\n" + `modparam("sst", "min_se", 60)` + "\nroute { exit; }\n": "min_se",
	} {
		if got := moduletest.Wrong(t, base+text, all...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("sst")+`modparam("sst", "sst_flag", "S")`+"\nroute { exit; }\n", all...); !strings.Contains(got, "needs the module dialog") {
		t.Error(got)
	}
	moduletest.New(t, strings.Replace(head, `"SST"`, "6", 1)+"route { setflag(6); }\n", all...)
}
