package nat_traversal_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/nat_traversal"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

var all = []script.Constructor{nat_traversal.New, tm.New, sl.New, rr.New, dialog.New}

func bench(t *testing.T, routes string) *moduletest.Bench {
	t.Helper()
	return moduletest.New(t, moduletest.Head("tm", "sl", "rr", "sipmsgops", "dialog", "nat_traversal")+routes, all...)
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, nat_traversal.New) }

// stats gives the module's statistics: kept, registered, subscribed, in dialogs.
func stats(b *moduletest.Bench) string {
	var list []string
	b.Config.ModuleStatistics(func(group string, s *script.Statistic) {
		if group == "nat_traversal" {
			list = append(list, fmt.Sprint(s.Value()))
		}
	})
	return strings.Join(list, " ")
}

// request is one from 10.0.0.9:40000.
func request(method, more string) []byte {
	return moduletest.CRLF(method + " sip:bob@example.org SIP/2.0\nVia: SIP/2.0/TLS 192.168.0.2;branch=z9hG4bK" + method + "\nMax-Forwards: 70\nFrom: <sip:alice@example.org>;tag=f\n" +
		"To: <sip:bob@example.org>\nCall-ID: n" + method + "\nCSeq: 1 " + method + "\n" + more + "Content-Length: 0\n\n")
}

func TestNATTest(t *testing.T) {
	for _, c := range []struct {
		tests        int
		via, contact string
		want         string
	}{
		{1, "192.0.2.7", "192.168.0.1", "1"}, {1, "192.168.0.1", "192.0.2.7", "-1"},
		{2, "192.0.2.7:40000", "10.0.0.9", "1"}, {2, "10.0.0.9:5061", "192.0.2.7", "1"}, {2, "10.0.0.9:40000", "192.0.2.7", "-1"},
		{4, "172.16.0.1", "192.0.2.7", "1"}, {4, "192.0.2.7", "172.16.0.1", "-1"},
		{8, "192.0.2.7", "192.0.2.7", "1"}, {8, "192.0.2.7", "10.0.0.9:1", "-1"},
		{3, "10.0.0.9:40000", "192.168.0.1", "1"}, {0, "192.168.0.1", "192.168.0.1", "-1"}, {16, "192.168.0.1", "192.168.0.1", "-1"},
	} {
		b := bench(t, fmt.Sprintf("route { client_nat_test(%d); xlog(\"$rc\"); }\n", c.tests))
		text := strings.Replace(string(request("OPTIONS", "Contact: <sip:a@"+c.contact+">\n")), "TLS 192.168.0.2;", "TLS "+c.via+";", 1)
		b.Receive([]byte(text))
		if len(b.Log) == 0 || b.Log[len(b.Log)-1] != c.want {
			t.Errorf("%+v: %q", c, b.Log)
		}
	}
}

func TestFixContact(t *testing.T) {
	b := bench(t, `route { fix_contact(); xlog("$rc $source_uri"); forward("tls:127.0.0.1:5081"); }`+"\n")
	b.Receive(request("OPTIONS", "Contact: <sip:a@192.168.0.2:1;ob>;q=1\n"))
	if got := b.Sent[0].Header("Contact"); got != "<sip:a@10.0.0.9:40000;ob>;q=1" || b.Log[0] != "1 sip:10.0.0.9:40000;transport=tls" {
		t.Errorf("%s %q", got, b.Log)
	}
	b.Receive(request("OPTIONS", ""))
	if !strings.HasPrefix(b.Log[0], "-1 ") {
		t.Errorf("without a Contact: %q", b.Log)
	}
}

// TestGranted has the sender of a REGISTER and of a SUBSCRIBE kept if, and as long as, the answer says, whoever gives it.
func TestGranted(t *testing.T) {
	const contact = "Contact: <sip:a@192.168.0.2:5060>\n"
	for _, c := range []struct {
		name, method, asks, answer, want string
	}{
		{"registered", "REGISTER", contact + "Expires: 60\n", `append_to_reply("Contact: <sip:a@192.168.0.2:5060>;expires=50, <sip:b@192.0.2.7>;expires=0\r\n"); sl_send_reply(200, "OK");`, "1 1 0 0"},
		{"without Contacts in the answer", "REGISTER", contact + "Expires: 60\n", `sl_send_reply(200, "OK");`, "0 0 0 0"},
		{"by its transaction", "REGISTER", contact + "Expires: 60\n", `append_to_reply("Contact: <sip:a@192.168.0.2:5060>;expires=50\r\n"); t_reply(200, "OK");`, "1 1 0 0"},
		{"with a transaction before", "REGISTER", contact + "Expires: 60\n", `append_to_reply("Contact: <sip:a@192.168.0.2:5060>;expires=50\r\n"); t_reply(200, "OK");`, "1 1 0 0"},
		{"refused", "REGISTER", contact + "Expires: 60\n", `sl_send_reply(403, "No");`, "0 0 0 0"},
		{"unanswered", "REGISTER", contact + "Expires: 60\n", `exit;`, "0 0 0 0"},
		{"taken back", "REGISTER", contact + "Expires: 0\n", `append_to_reply("Contact: <sip:z@192.0.2.7>;expires=50\r\n"); sl_send_reply(200, "OK");`, "0 0 0 0"},
		{"a question", "REGISTER", "", `append_to_reply("Contact: <sip:z@192.0.2.7>;expires=50\r\n"); sl_send_reply(200, "OK");`, "0 0 0 0"},
		{"ended", "REGISTER", contact, `append_to_reply("Contact: <sip:a@192.168.0.2:5060>;expires=0\r\n"); sl_send_reply(200, "OK");`, "0 0 0 0"},
		{"subscribed", "SUBSCRIBE", "Event: presence\n", `append_to_reply("Expires: 100\r\n"); sl_send_reply(202, "OK");`, "1 0 1 0"},
		{"unsubscribed", "SUBSCRIBE", "Event: presence\nExpires: 0\n", `append_to_reply("Expires: 0\r\n"); sl_send_reply(200, "OK");`, "0 0 0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := ""
			if strings.Contains(c.name, "before") {
				first = "t_newtran(); "
			}
			b := bench(t, `route { if (is_method("OPTIONS")) { xlog("$keepalive.socket(sip:10.0.0.9:40000;transport=tls) $keepalive.socket($du)"); exit; } `+first+`nat_keepalive(); `+c.answer+" }\n")
			b.Receive(request(c.method, c.asks))
			if got := stats(b); got != c.want {
				t.Errorf("kept: %s, want %s", got, c.want)
			}
			b.Receive(request("OPTIONS", ""))
			want := "tls:127.0.0.1:5061 <null>"
			if c.want[0] == '0' {
				want = "<null> <null>"
			}
			if len(b.Log) != 1 || b.Log[0] != want {
				t.Errorf("$keepalive.socket: %q, want %q", b.Log, want)
			}
		})
	}
}

// answer answers the last request that was sent on, from where it went.
func answer(t *testing.T, b *moduletest.Bench, status string) {
	t.Helper()
	sent := b.Sent[len(b.Sent)-1]
	src := *b.Source
	src.Remote = sent.Target.Addr
	b.Log, b.Sent = nil, nil
	b.Context.Receive(sent.Answer(t, status, "Contact: <sip:bob@192.168.0.3>"), &src)
}

// TestDialog has the caller kept as long as the call lasts, and of the callees one whose registration is kept.
func TestDialog(t *testing.T) {
	b := bench(t, `route {
	if (is_method("REGISTER")) { nat_keepalive(); append_to_reply("Contact: <sip:a@192.168.0.2:5060>;expires=50\r\n"); sl_send_reply(200, "OK"); exit; }
	if (has_totag()) { loose_route(); t_relay(); exit; }
	nat_keepalive(); xlog("$rc $DLG_status");
	record_route();
	$du = "sip:10.0.0.8:40001;transport=tls";
	t_relay();
}
`)
	b.Receive(request("INVITE", "Contact: <sip:a@192.168.0.2:5060>\n"))
	if got := stats(b); got != "1 0 0 1" || b.Log[0] != "1 1" {
		t.Fatalf("a call to one that is not kept: %s %q", got, b.Log)
	}
	answer(t, b, "486 Busy")
	if got := stats(b); got != "0 0 0 0" {
		t.Errorf("behind its end: %s", got)
	}
	caller, callee := b.Source, *b.Source
	callee.Remote = netip.MustParseAddrPort("10.0.0.8:40001")
	b.Source = &callee
	b.Receive(request("REGISTER", "Contact: <sip:a@192.168.0.2:5060>\n"))
	b.Source = caller
	second := strings.NewReplacer("Call-ID: nINVITE", "Call-ID: second", "z9hG4bKINVITE", "z9hG4bKsecond")
	b.Receive([]byte(second.Replace(string(request("INVITE", "Contact: <sip:a@192.168.0.2:5060>\n")))))
	if got := stats(b); got != "2 1 0 2" {
		t.Fatalf("a call to one that is kept: %s", got)
	}
	answer(t, b, "200 OK")
	if got := stats(b); got != "2 1 0 2" {
		t.Errorf("an answered one: %s", got)
	}
}

// TestUntracked has no dialog made where the script does not want one.
func TestUntracked(t *testing.T) {
	b := bench(t, `route { xlog("$nat_traversal.track_dialog"); $nat_traversal.track_dialog = 0; nat_keepalive(); xlog("$nat_traversal.track_dialog $rc $DLG_status"); }`+"\n")
	b.Receive(request("INVITE", "Contact: <sip:a@192.168.0.2:5060>\n"))
	if got := strings.Join(b.Log, "|"); got != "1|0 1 <null>" || stats(b) != "0 0 0 0" {
		t.Errorf("%s %s", got, stats(b))
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		`modparam("nat_traversal", "keepalive_method", "a b")`:      "is no method",
		`modparam("nat_traversal", "keepalive_from", "keepalive")`:  "is no URI",
		`modparam("nat_traversal", "keepalive_extra_headers", "x")`: "is header lines",
		`route[x] { $avp(a) = $keepalive.socket; }`:                 "keepalive.socket",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("tm", "nat_traversal")+text+"\nroute { exit; }\n", all...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("nat_traversal")+"route { exit; }\n", all...); !strings.Contains(got, `loadmodule "tm.so"`) {
		t.Error(got)
	}
}
