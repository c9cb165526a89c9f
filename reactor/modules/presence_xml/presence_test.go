package presence_xml_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/presence"
	"sipreactor/reactor/modules/presence_xml"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/xcap"
	"sipreactor/reactor/script"
)

var all = []script.Constructor{presence.New, presence_xml.New, xcap.New, signaling.New, sipmsgops.New, sl.New, tm.New}

const routes = `
route {
	if (!t_newtran()) { sl_reply_error(); exit; }
	if (is_method("PUBLISH")) handle_publish();
	else if (is_method("SUBSCRIBE")) handle_subscribe();
	exit;
}
`

// server is a presence server, with numbers for what it is sent.
type server struct {
	*moduletest.Bench
	t *testing.T
	n int
}

func newServer(t *testing.T, params string) *server {
	t.Helper()
	head := moduletest.Head("signaling", "sl", "tm", "sipmsgops", "xcap", "presence", "presence_xml")
	return &server{Bench: moduletest.New(t, head+"modparam(\"presence_xml\", \"force_active\", 1)\n"+params+routes, all...), t: t}
}

// send sends a request of alice about bob and returns the response and the NOTIFYs.
func (s *server) send(method, call, toTag, body string, more ...string) (response moduletest.Sent, notifies []moduletest.Sent) {
	s.t.Helper()
	s.n++
	to := "<sip:bob@example.org>"
	if toTag != "" {
		to += ";tag=" + toTag
	}
	lines := []string{method + " sip:bob@example.org SIP/2.0", fmt.Sprintf("Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKp%d", s.n), "Max-Forwards: 70",
		"From: <sip:alice@example.org>;tag=" + call, "To: " + to, "Call-ID: " + call, fmt.Sprintf("CSeq: %d %s", s.n, method),
		"Contact: <sip:alice@10.0.0.9:5061;transport=tls>"}
	lines = append(append(lines, more...), fmt.Sprintf("Content-Length: %d", len(body)), "", body)
	s.Log, s.Sent = nil, nil
	s.Receive([]byte(strings.Join(lines, "\r\n")))
	for _, x := range s.Sent {
		switch {
		case strings.HasPrefix(x.Text, "NOTIFY "):
			notifies = append(notifies, x)
		case strings.HasPrefix(x.Text, "SIP/2.0 "):
			response = x
		}
	}
	return response, notifies
}

func (s *server) wants(got moduletest.Sent, status string) {
	s.t.Helper()
	if !strings.HasPrefix(got.Text, "SIP/2.0 "+status) {
		s.t.Errorf("got %q, want %s; log %v", got.Text, status, s.Log)
	}
}

func tuple(id, state string) string {
	return `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:x="urn:x" entity="sip:bob@example.org"><tuple id="` + id +
		`"><status><basic>` + state + `</basic></status><x:more/></tuple><note>` + id + `</note></presence>`
}

const pidfType = "Content-Type: application/pidf+xml"

func tagOf(m moduletest.Sent) string {
	_, tag, _ := strings.Cut(m.Header("To"), ";tag=")
	return tag
}

// TestPublishAndSubscribe follows a watcher through what its buddy publishes.
func TestPublishAndSubscribe(t *testing.T) {
	s := newServer(t, "")
	ok, notifies := s.send("SUBSCRIBE", "w1", "", "", "Event: presence", "Expires: 600")
	s.wants(ok, "200")
	tag := tagOf(ok)
	if ok.Header("Expires") != "600" || ok.Header("Contact") != "<sip:presence@edge.example.org:5061;transport=tls>" || tag == "" {
		t.Errorf("the 200 is %s", ok.Text)
	}
	if len(notifies) != 1 {
		t.Fatalf("%d NOTIFYs: %v", len(notifies), s.Log)
	}
	first := notifies[0]
	if !strings.HasPrefix(first.Text, "NOTIFY sip:alice@10.0.0.9:5061;transport=tls SIP/2.0\r\n") || first.Header("Subscription-State") != "active;expires=600" ||
		first.Header("Event") != "presence" || first.Header("To") != "<sip:alice@example.org>;tag=w1" || first.Header("From") != "<sip:bob@example.org>;tag="+tag ||
		first.Header("Call-ID") != "w1" || first.Header("Content-Length") != "0" {
		t.Errorf("the first NOTIFY is %s", first.Text)
	}

	ok, notifies = s.send("PUBLISH", "p1", "", tuple("desk", "open"), "Event: presence", "Expires: 60", pidfType)
	s.wants(ok, "200")
	desk := ok.Header("SIP-ETag")
	if desk == "" || ok.Header("Expires") != "60" || len(notifies) != 1 || !strings.HasSuffix(notifies[0].Text, tuple("desk", "open")) || notifies[0].Header("Content-Type") != "application/pidf+xml" {
		t.Errorf("%s\n%v", ok.Text, notifies)
	}
	_, notifies = s.send("PUBLISH", "p2", "", tuple("mobile", "closed"), "Event: presence", pidfType)
	if len(notifies) != 1 || !strings.Contains(notifies[0].Text, `<tuple xmlns="urn:ietf:params:xml:ns:pidf" xmlns:x="urn:x" id="desk">`) ||
		!strings.Contains(notifies[0].Text, `id="mobile"`) || strings.Contains(notifies[0].Text, ">desk</note>") || !strings.Contains(notifies[0].Text, ">mobile</note>") {
		t.Errorf("two documents are not joined: %v", notifies)
	}
	ok, notifies = s.send("PUBLISH", "p1", "", "", "Event: presence", "SIP-If-Match: "+desk)
	s.wants(ok, "200")
	if next := ok.Header("SIP-ETag"); next == desk || len(notifies) != 0 {
		t.Errorf("a refresh has the tag %s and tells %d watchers", next, len(notifies))
	} else {
		desk = next
	}
	if bad, _ := s.send("PUBLISH", "p1", "", "", "Event: presence", "SIP-If-Match: nothing"); !strings.HasPrefix(bad.Text, "SIP/2.0 412") {
		t.Error(bad.Text)
	}
	_, notifies = s.send("PUBLISH", "p1", "", "", "Event: presence", "SIP-If-Match: "+desk, "Expires: 0")
	if len(notifies) != 1 || strings.Contains(notifies[0].Text, "desk") || notifies[0].Header("CSeq") != "4 NOTIFY" {
		t.Errorf("what is taken back: %v", notifies)
	}

	ok, notifies = s.send("SUBSCRIBE", "w1", tag, "", "Event: presence", "Expires: 0")
	s.wants(ok, "200")
	if len(notifies) != 1 || notifies[0].Header("Subscription-State") != "terminated;reason=timeout" {
		t.Errorf("the end: %v", notifies)
	}
	bad, notifies := s.send("SUBSCRIBE", "w1", tag, "", "Event: presence")
	if s.wants(bad, "481"); len(notifies) != 0 {
		t.Error("a subscription that is over is notified")
	}
}

// TestRefresh: the command notifies all watchers of a presentity with what is published.
func TestRefresh(t *testing.T) {
	s := newServer(t, "")
	s.send("SUBSCRIBE", "w1", "", "", "Event: presence")
	s.send("PUBLISH", "p1", "", tuple("desk", "open"), "Event: presence", pidfType)
	s.Log = nil
	if got := s.Command(t, "presence:refresh_watchers", []any{"sip:bob@example.org", "presence", 1}); got != `"OK"` {
		t.Fatal(got)
	}
	// Nothing leaves the bench but for a message: whom the NOTIFY is for is in the warning that it cannot.
	if len(s.Log) != 1 || !strings.Contains(s.Log[0], "watcher=sip:alice@example.org presentity=sip:bob@example.org") {
		t.Errorf("%q", s.Log)
	}
	if got := s.Command(t, "refresh_watchers", []any{"sip:bob@example.org", "presence", 9}); got != "refresh_type is 0 or 1" {
		t.Error(got)
	}
	if got := s.Command(t, "refresh_watchers", []any{"sip:bob@example.org", "weather", 0}); got != "Event not found" {
		t.Error(got)
	}
}

// TestWatcherInformation tells a presentity who watches.
func TestWatcherInformation(t *testing.T) {
	s := newServer(t, "")
	_, notifies := s.send("SUBSCRIBE", "i", "", "", "Event: presence.winfo")
	if len(notifies) != 1 || !strings.Contains(notifies[0].Text, `version="0" state="full"`) || strings.Contains(notifies[0].Text, "<watcher ") {
		t.Errorf("nobody watches: %v", notifies)
	}
	_, notifies = s.send("SUBSCRIBE", "w", "", "", "Event: presence;id=7")
	if len(notifies) != 2 {
		t.Fatalf("%d NOTIFYs", len(notifies))
	}
	if !strings.Contains(notifies[0].Text, `version="1"`) || !strings.Contains(notifies[0].Text, `status="active" event="subscribe">sip:alice@example.org</watcher>`) || notifies[1].Header("Event") != "presence;id=7" {
		t.Errorf("one watches: %v", notifies)
	}
}

// TestWatcherIsGone ends a subscription whose watcher does not know it.
func TestWatcherIsGone(t *testing.T) {
	s := newServer(t, "modparam(\"presence\", \"notify_offline_body\", 1)\n")
	_, notifies := s.send("SUBSCRIBE", "w", "", "", "Event: presence")
	if len(notifies) != 1 || !strings.Contains(notifies[0].Text, "<basic>closed</basic>") {
		t.Fatalf("%v", notifies)
	}
	answer := "SIP/2.0 481 Gone\r\n"
	for l := range strings.SplitSeq(notifies[0].Text, "\r\n") {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(l, name) {
				answer += l + "\r\n"
			}
		}
	}
	s.Receive([]byte(answer + "Content-Length: 0\r\n\r\n"))
	if _, notifies = s.send("PUBLISH", "p", "", tuple("a", "open"), "Event: presence", pidfType); len(notifies) != 0 {
		t.Errorf("it is still notified: %v", notifies)
	}
}

// TestAccept: who takes all of a kind takes what there is.
func TestAccept(t *testing.T) {
	s := newServer(t, "")
	for i, accept := range []string{"*/*", "application/*;q=0.5", "text/plain, Application/PIDF+xml;version=1"} {
		if got, notifies := s.send("SUBSCRIBE", "accept"+strconv.Itoa(i), "", "", "Event: presence", "Accept: "+accept); len(notifies) == 0 {
			t.Errorf("%s: %s", accept, got.Text)
		}
	}
}

// TestTupleIDs: ids are unique in a document, whatever documents it is made of.
func TestTupleIDs(t *testing.T) {
	body := pidfBody(t, tuple("a", "open"), tuple("b", "open"), tuple("a", "closed"))
	if strings.Count(body, `id="a"`) != 1 || strings.Count(body, `id="b"`) != 1 || !strings.Contains(body, "closed") {
		t.Error(body)
	}
}

// pidfBody publishes documents and returns what a watcher gets.
func pidfBody(t *testing.T, documents ...string) string {
	t.Helper()
	s := newServer(t, "")
	for i, d := range documents {
		got, _ := s.send("PUBLISH", "p"+strconv.Itoa(i), "", d, "Event: presence", pidfType)
		s.wants(got, "200")
	}
	_, notifies := s.send("SUBSCRIBE", "w", "", "", "Event: presence")
	if len(notifies) == 0 {
		t.Fatal("no NOTIFY")
	}
	return notifies[len(notifies)-1].Text
}

func TestRefusals(t *testing.T) {
	s := newServer(t, "")
	for _, c := range []struct {
		method, body, status, header string
		more                         []string
	}{
		{"SUBSCRIBE", "", "489", "Allow-Events: dialog;sla, presence, presence.winfo", []string{"Event: refer"}},
		{"SUBSCRIBE", "", "489", "Allow-Events", nil},
		{"SUBSCRIBE", "", "400", "", []string{"Event: presence", "Expires: soon"}},
		{"SUBSCRIBE", "", "420", "Unsupported: eventlist, foo", []string{"Event: presence", "Require: eventlist", "Require: foo"}},
		{"SUBSCRIBE", "", "406", "Accept: application/pidf+xml", []string{"Event: presence", "Accept: application/cpim-pidf+xml, text/*"}},
		{"PUBLISH", tuple("a", "open"), "420", "Unsupported: foo", []string{"Event: presence", pidfType, "Require: foo"}},
		{"PUBLISH", "", "400", "", []string{"Event: presence"}},
		{"PUBLISH", tuple("a", "open"), "415", "Accept: application/pidf+xml", []string{"Event: presence", "Content-Type: text/plain"}},
		{"PUBLISH", "<presence><tuple></presence>", "400", "", []string{"Event: presence", pidfType}},
		{"PUBLISH", "<other/>", "400", "", []string{"Event: presence", pidfType}},
		{"PUBLISH", `<!DOCTYPE presence [<!ENTITY a "b">]><presence>&a;</presence>`, "400", "", []string{"Event: presence", pidfType}},
		{"PUBLISH", strings.Repeat("<presence>", 100), "400", "", []string{"Event: presence", pidfType}},
		{"PUBLISH", "x", "489", "", []string{"Event: presence.winfo"}},
	} {
		got, notifies := s.send(c.method, "r", "", c.body, c.more...)
		if s.wants(got, c.status); !strings.Contains(got.Text, c.header) || len(notifies) > 0 {
			t.Errorf("%v: %s", c.more, got.Text)
		}
	}
}

func TestPermissionsNeedForceActive(t *testing.T) {
	head := moduletest.Head("signaling", "sl", "tm", "sipmsgops", "presence", "presence_xml")
	if got := moduletest.Wrong(t, head+routes, all...); !strings.Contains(got, "permissions by XCAP documents are not supported") {
		t.Error(got)
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, presence.New, presence_xml.New, xcap.New) }

// TestOneWatcher has room for so many subscriptions of one, until he ends one.
func TestOneWatcher(t *testing.T) {
	s := newServer(t, "modparam(\"presence\", \"max_subscriptions_per_watcher\", 2)\n")
	first, _ := s.send("SUBSCRIBE", "w1", "", "", "Event: presence")
	s.send("SUBSCRIBE", "w2", "", "", "Event: presence")
	third, notifies := s.send("SUBSCRIBE", "w3", "", "", "Event: presence")
	if s.wants(third, "403"); len(notifies) != 0 {
		t.Errorf("%d NOTIFYs behind a 403", len(notifies))
	}
	again, _ := s.send("SUBSCRIBE", "w1", tagOf(first), "", "Event: presence")
	s.wants(again, "200") // it is there already
	s.send("SUBSCRIBE", "w1", tagOf(first), "", "Event: presence", "Expires: 0")
	third, _ = s.send("SUBSCRIBE", "w3", "", "", "Event: presence")
	s.wants(third, "200")
}
