package pua

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

const uri = "sip:bob@192.0.2.9:5061;transport=tls"

// agent is the module, and the server that it talks to.
type agent struct {
	*moduletest.Bench
	t *testing.T
	m *Module
}

func newAgent(t *testing.T) *agent {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("tm", "sl", "pua")+"route { pua_update_contact(); xlog(\"$rc\"); sl_send_reply(200, \"OK\"); }\n", tm.New, sl.New, New)
	return &agent{b, t, b.Config.Instance("pua").(*Module)}
}

// take gives the last request that was sent, of how many since the last take.
func (a *agent) take(want int) moduletest.Sent {
	a.t.Helper()
	list := a.Sent
	a.Sent = nil
	if len(list) != want {
		a.t.Fatalf("%d messages were sent, want %d: %+v", len(list), want, list)
	}
	if want == 0 {
		return moduletest.Sent{}
	}
	return list[want-1]
}

// answer answers a request.
func (a *agent) answer(r moduletest.Sent, status string, headers ...string) {
	a.t.Helper()
	to := r.Header("To")
	if !strings.Contains(to, "tag=") {
		to += ";tag=server"
	}
	lines := append([]string{"SIP/2.0 " + status, "Via: " + strings.ReplaceAll(r.Header("Via"), "|", "\r\nVia: "), "From: " + r.Header("From"), "To: " + to,
		"Call-ID: " + r.Header("Call-ID"), "CSeq: " + r.Header("CSeq")}, headers...)
	a.Receive([]byte(strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n")))
}

func (a *agent) publish(body string, expires int64) {
	a.t.Helper()
	p := Publication{URI: uri, Event: "presence", Type: "text/plain", Expires: expires}
	if body != "" {
		p.Body = []byte(body)
	}
	if err := a.m.Publish(a.Context, p); err != nil {
		a.t.Fatal(err)
	}
}

// want checks a PUBLISH.
func (a *agent) want(s moduletest.Sent, match, body string, expires int) {
	a.t.Helper()
	if !strings.HasPrefix(s.Text, "PUBLISH "+uri+" SIP/2.0") || s.Header("SIP-If-Match") != match || !strings.HasSuffix(s.Text, "\r\n\r\n"+body) || s.Header("Expires") != fmt.Sprint(expires) || s.Header("Event") != "presence" {
		a.t.Fatalf("sent\n%s\nwant the tag %q, %q for %d seconds", s.Text, match, body, expires)
	}
}

// TestPublication: from its first PUBLISH to its end; one is under way at a time, and what comes meanwhile is told by the
// next, the newest alone.
func TestPublication(t *testing.T) {
	a := newAgent(t)
	a.publish("", 0) // nothing of it is published
	a.take(0)
	a.publish("one", 10)
	first := a.take(1)
	a.want(first, "", "one", 300) // min_expires
	a.publish("two", 600)
	a.publish("three", 600)
	a.take(0)
	a.answer(first, "200 OK", "SIP-ETag: e1", "Expires: 300")
	next := a.take(1)
	a.want(next, "e1", "three", 600)
	a.answer(next, "200 OK", "SIP-ETag: e2", "Expires: 100")
	a.take(0)

	// A refresh, before the server lets it go, has no body.
	now := time.Now().Unix()
	if list, _ := a.m.state.due(now + 80); len(list) != 0 {
		t.Fatal("it is refreshed too early")
	}
	list, _ := a.m.state.due(now + 95)
	if len(list) != 1 {
		t.Fatal("it is not refreshed")
	}
	a.m.publish(a.Context, list[0])
	refresh := a.take(1)
	if refresh.Header("SIP-If-Match") != "e2" || !strings.HasSuffix(refresh.Text, "\r\n\r\n") {
		t.Fatalf("the refresh is\n%s", refresh.Text)
	}
	a.answer(refresh, "412 Conditional Request Failed") // the server has forgotten it
	anew := a.take(1)
	a.want(anew, "", "three", 600)
	a.publish("", 0)
	a.take(0)
	a.answer(anew, "200 OK", "SIP-ETag: e3", "Expires: 600")
	end := a.take(1)
	a.want(end, "e3", "", 0)
	a.answer(end, "200 OK")
	if n, _ := a.m.state.size(); n != 0 {
		t.Error("it is kept behind its end")
	}
}

// TestRefusedPublication: a server's Min-Expires is kept to, another refusal ends it, and its time ends it, too.
func TestRefusedPublication(t *testing.T) {
	a := newAgent(t)
	a.publish("one", 600)
	a.answer(a.take(1), "423 Interval Too Brief", "Min-Expires: 900")
	again := a.take(1)
	a.want(again, "", "one", 900)
	a.answer(again, "489 Bad Event")
	a.take(0)
	if n, _ := a.m.state.size(); n != 0 || a.m.failed.Load() != 1 || a.m.Published(uri, "presence", "") {
		t.Errorf("%d publications behind a refusal, %d failures", n, a.m.failed.Load())
	}
	a.publish("two", 600)
	a.answer(a.take(1), "200 OK", "SIP-ETag: e1", "Expires: 600")
	a.m.state.due(time.Now().Unix() + 601)
	if n, _ := a.m.state.size(); n != 0 {
		t.Error("it outlives its time")
	}
	for _, p := range []Publication{{URI: "bob", Event: "presence"}, {URI: uri}, {URI: uri, Event: "a\r\nb"}, {URI: uri, Event: "presence", Headers: "none"}} {
		if a.m.Publish(a.Context, p) == nil {
			t.Errorf("%+v is published", p)
		}
	}
	a.take(0)
}

// TestSubscription: its dialog, the Contact of a NOTIFY, a server that has forgotten it, its end.
func TestSubscription(t *testing.T) {
	a := newAgent(t)
	s := Subscription{URI: uri, Watcher: "sip:us@example.org", Contact: "sip:us@example.org:5061", Event: "presence", Expires: -1}
	if err := a.m.Subscribe(a.Context, s); err != nil {
		t.Fatal(err)
	}
	first := a.take(1)
	if !strings.HasPrefix(first.Text, "SUBSCRIBE "+uri) || first.Header("Expires") != "3600" || first.Header("Contact") != "<sip:us@example.org:5061>" || strings.Contains(first.Header("To"), "tag") {
		t.Fatalf("sent\n%s", first.Text)
	}
	a.answer(first, "200 OK", "Expires: 100", "Contact: <sip:there@192.0.2.8:5061;transport=tls>", "Record-Route: <sip:192.0.2.1:5061;transport=tls;lr>")
	a.take(0)
	refresh := func() moduletest.Sent {
		t.Helper()
		_, list := a.m.state.due(time.Now().Unix() + 95)
		if len(list) != 1 {
			t.Fatal("it is not refreshed")
		}
		a.m.subscribe(a.Context, list[0])
		return a.take(1)
	}
	second := refresh()
	if !strings.HasPrefix(second.Text, "SUBSCRIBE sip:there@192.0.2.8:5061;transport=tls") || second.Header("Route") != "<sip:192.0.2.1:5061;transport=tls;lr>" || !strings.HasSuffix(second.Header("To"), ";tag=server") || second.Header("Call-ID") != first.Header("Call-ID") {
		t.Fatalf("the refresh is\n%s", second.Text)
	}
	a.answer(second, "200 OK", "Expires: 100")
	_, tag, _ := strings.Cut(first.Header("From"), "tag=")
	notify := func(tag string) string {
		a.Receive(moduletest.CRLF(`
NOTIFY sip:us@example.org:5061 SIP/2.0
Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK` + tag + `
Max-Forwards: 70
From: <` + uri + `>;tag=server
To: <sip:us@example.org>;tag=` + tag + `
Call-ID: ` + first.Header("Call-ID") + `
CSeq: 1 NOTIFY
Contact: <sip:moved@192.0.2.7:5061;transport=tls>
Content-Length: 0

`))
		a.Sent = nil
		return a.Log[len(a.Log)-1]
	}
	if got := notify("other") + notify(tag); got != "-11" {
		t.Errorf("pua_update_contact() gives %s, want -1 for a stranger and 1", got)
	}
	third := refresh()
	if !strings.HasPrefix(third.Text, "SUBSCRIBE sip:moved@192.0.2.7") {
		t.Errorf("the Contact of the NOTIFY is not used:\n%s", third.Text)
	}
	a.answer(third, "481 No Subscription")
	anew := a.take(1)
	if !strings.HasPrefix(anew.Text, "SUBSCRIBE "+uri) || anew.Header("Call-ID") == first.Header("Call-ID") || strings.Contains(anew.Header("To"), "tag") || anew.Header("Route") != "" {
		t.Fatalf("it is begun anew by\n%s", anew.Text)
	}
	s.Expires = 0
	if err := a.m.Subscribe(a.Context, s); err != nil {
		t.Fatal(err)
	}
	a.take(0)
	a.answer(anew, "200 OK", "Expires: 3600")
	end := a.take(1)
	if end.Header("Expires") != "0" {
		t.Fatalf("its end is\n%s", end.Text)
	}
	a.answer(end, "200 OK", "Expires: 0")
	if _, n := a.m.state.size(); n != 0 || len(a.m.state.calls) != 0 {
		t.Error("it is kept behind its end")
	}
}
