package b2b_entities

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

// told keeps the events of a module.
type told struct{ events []string }

func (w *told) Heard(string) bool { return true }

func (w *told) Raise(_ string, params ...script.Param) {
	w.events = append(w.events, fmt.Sprint(len(params)))
}

// agent is the module, and the other party of its sessions.
type agent struct {
	*moduletest.Bench
	t    *testing.T
	m    *Module
	told *told
}

func newAgent(t *testing.T, route string) *agent {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("tm", "sl", "sipmsgops", "b2b_entities")+route, tm.New, sl.New, sipmsgops.New, New)
	a := &agent{Bench: b, t: t, m: b.Config.Instance("b2b_entities").(*Module), told: &told{}}
	a.m.env.Events = a.told
	return a
}

// take gives how many events there were since the last take.
func (a *agent) take() int {
	n := len(a.told.events)
	a.told.events = nil
	return n
}

// key is that of the one session that there is; "" if there is none.
func (a *agent) key() string {
	a.t.Helper()
	all := a.m.sessions.all()
	if len(all) > 1 {
		a.t.Fatalf("%d sessions", len(all))
	}
	if len(all) == 0 {
		return ""
	}
	return all[0].key
}

// within sends a later request of the party that has sent moduletest.Invite.
func (a *agent) within(method string, cseq int, key string) {
	a.Receive(moduletest.CRLF(fmt.Sprintf(`
%s sip:edge.example.org:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK%s%d
Max-Forwards: 70
From: "Alice A." <sip:alice@atlanta.example;x=1>;tag=1928301774
To: <sip:+4930123@example.net>;tag=%s
Call-ID: a84b4c76e66710@pc33
CSeq: %d %s
Content-Length: 0

`, method, method, cseq, key, cseq, method)))
}

const serve = `route {
	if (!is_method("INVITE")) { xlog("routes: $rm"); exit; }
	ua_session_server_init($var(key), "ahb");
	ua_session_reply($var(key), "INVITE", 180);
	ua_session_reply($var(key), "INVITE", 200, "Here", "v=0\r\n", "X-Mine: yes");
}
`

// TestServer: a session of theirs, from its INVITE to its BYE; its requests never reach
// the routes.
func TestServer(t *testing.T) {
	a := newAgent(t, serve)
	a.Receive(moduletest.Invite)
	if got := a.Status(); got != "100 180 200" {
		t.Fatalf("answers %s: %q", got, a.Log)
	}
	key := a.key()
	ok := a.Sent[2]
	for name, want := range map[string]string{"To": "<sip:+4930123@example.net>;tag=" + key, "Contact": "<sip:edge.example.org:5061;transport=tls>", "X-Mine": "yes", "Content-Type": "application/sdp", "Content-Length": "5"} {
		if got := ok.Header(name); got != want {
			t.Errorf("%s of the 200 is %q, want %q", name, got, want)
		}
	}
	if n := a.take(); n != 1 {
		t.Errorf("%d events of the INVITE, want NEW", n)
	}
	a.within("ACK", 314159, key)
	a.within("INFO", 314160, key)
	if n := a.take(); n != 2 || len(a.Sent) != 0 || len(a.Log) != 0 {
		t.Errorf("%d events of ACK and INFO, sent %s, logged %q", n, a.Status(), a.Log)
	}
	s := a.m.sessions.get(key)
	if err := a.m.respondOldest(a.Context, s, "INFO", answer{code: 202}); err != nil || a.Status() != "202" {
		t.Errorf("%v, answered %s", err, a.Status())
	}
	if err := a.m.respondOldest(a.Context, s, "INFO", answer{code: 200}); err == nil {
		t.Error("a request is answered twice")
	}
	a.within("MESSAGE", 5, key)
	if a.Status() != "500" {
		t.Errorf("a stale request is answered %s", a.Status())
	}
	a.take()
	a.within("BYE", 314170, key)
	if a.Status() != "200" || a.take() != 1 || a.key() != "" {
		t.Errorf("the BYE is answered %s, session %q", a.Status(), a.key())
	}
	a.within("INFO", 314171, key)
	if !slices.Contains(a.Log, "routes: INFO") {
		t.Errorf("a request of no session does not reach the routes: %q", a.Log)
	}
}

// TestStranger: who guesses the tag alone gets nowhere.
func TestStranger(t *testing.T) {
	a := newAgent(t, serve)
	a.Receive(moduletest.Invite)
	key := a.key()
	a.within("BYE", 314170, "B2B.nothing")
	other := strings.NewReplacer("INVITE", "BYE", "<sip:+4930123@example.net>", "<sip:+4930123@example.net>;tag="+key, "tag=1928301774", "tag=x", "776asdhds", "other").Replace(string(moduletest.Invite))
	a.Receive([]byte(other))
	if a.key() != key || !slices.Contains(a.Log, "routes: BYE") {
		t.Errorf("a stranger's BYE has ended it: %q", a.Log)
	}
}

// TestCanceled: a session whose INVITE is canceled ends.
func TestCanceled(t *testing.T) {
	a := newAgent(t, `route { if (is_method("INVITE")) { ua_session_server_init($var(key)); ua_session_reply($var(key), "INVITE", 180); } else xlog("routes: $rm"); }`)
	a.Receive(moduletest.Invite)
	a.take()
	head, _, _ := strings.Cut(string(moduletest.Invite), "Content-Type")
	a.Receive([]byte(strings.ReplaceAll(head, "INVITE", "CANCEL") + "Content-Length: 0\r\n\r\n"))
	if a.Status() != "200 487" || a.take() != 1 || a.key() != "" || len(a.Log) != 0 {
		t.Errorf("answered %s, session %q, logged %q", a.Status(), a.key(), a.Log)
	}
}

// TestRefused: a final refusal ends the session.
func TestRefused(t *testing.T) {
	a := newAgent(t, `route { ua_session_server_init($var(key), "n"); ua_session_terminate($var(key)); }`)
	a.Receive(moduletest.Invite)
	if a.Status() != "100 480" || a.key() != "" || a.take() != 0 {
		t.Errorf("answered %s, session %q", a.Status(), a.key())
	}
}

// TestClient: a session of ours, from its INVITE to its BYE.
func TestClient(t *testing.T) {
	a := newAgent(t, `route { xlog("routes: $rm"); }`)
	f, err := parseFlags("r")
	if err != nil {
		t.Fatal(err)
	}
	key, err := a.m.begin(a.Context, &call{uri: "sip:bob@192.0.2.9:5061;transport=tls", to: "sip:bob@example.net", from: `"We" <sip:us@example.org>`, contact: "sip:us@127.0.0.1:5061", message: message{body: "v=0\r\n"}}, f)
	if err != nil || a.Status() != "INVITE" {
		t.Fatalf("%v, sent %s", err, a.Status())
	}
	invite := a.Sent[0]
	if invite.Header("From") != `"We" <sip:us@example.org>;tag=`+key || invite.Header("To") != "<sip:bob@example.net>" {
		t.Errorf("%s", invite.Text)
	}
	src := &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0], Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr}
	respond := func(to moduletest.Sent, status string, more string) {
		text := "SIP/2.0 " + status + "\r\nVia: " + to.Header("Via") + "\r\nFrom: " + to.Header("From") + "\r\nTo: " + strings.TrimSuffix(to.Header("To"), ";tag=b") + ";tag=b\r\nCall-ID: " + to.Header("Call-ID") + "\r\nCSeq: " + to.Header("CSeq") + "\r\n" + more + "Content-Length: 0\r\n\r\n"
		a.Sent = nil
		a.Context.Receive([]byte(text), src)
	}
	if a.m.update(a.Context, a.m.sessions.get(key), "INFO", message{}) == nil {
		t.Error("a request is sent before the session is answered")
	}
	respond(invite, "180 Ringing", "")
	respond(invite, "200 OK", "Contact: <sip:bob@192.0.2.9:5061;transport=tls>\r\nRecord-Route: <sip:192.0.2.8;transport=tls;lr>, <sip:192.0.2.7;transport=tls;lr>\r\n")
	if a.Status() != "ACK" || a.take() != 2 {
		t.Fatalf("sent %s behind the 200, %q", a.Status(), a.told.events)
	}
	a.Sent = nil
	if err := a.m.update(a.Context, a.m.sessions.get(key), "INFO", message{body: "x", kind: "text/plain", headers: "X-A: b"}); err != nil || a.Status() != "INFO" {
		t.Fatalf("%v, sent %s", err, a.Status())
	}
	info := a.Sent[0]
	if info.Header("Route") != "<sip:192.0.2.7;transport=tls;lr>, <sip:192.0.2.8;transport=tls;lr>" || info.Header("CSeq") != "2 INFO" || info.Header("To") != "<sip:bob@example.net>;tag=b" || info.Header("X-A") != "b" || !strings.HasPrefix(info.Text, "INFO sip:bob@192.0.2.9:5061;transport=tls ") {
		t.Errorf("%s", info.Text)
	}
	respond(info, "200 OK", "")
	if a.take() != 1 {
		t.Error("the response is not told")
	}
	a.Sent = nil
	if !a.m.terminate(a.Context, a.m.sessions.get(key), "") || a.Status() != "BYE" || a.key() != "" {
		t.Errorf("sent %s, session %q", a.Status(), a.key())
	}
}

// TestSweep: a session's time ends, and a request that nobody answers is.
func TestSweep(t *testing.T) {
	a := newAgent(t, serve)
	a.Receive(moduletest.Invite)
	s := a.m.sessions.get(a.key())
	a.within("INFO", 314160, s.key)
	if late, over := s.due(time.Now()); len(late) != 0 || over {
		t.Errorf("%d late, over %v", len(late), over)
	}
	if late, over := s.due(time.Now().Add(maxAnswer + time.Second)); len(late) != 1 || over {
		t.Errorf("%d late, over %v", len(late), over)
	}
	if _, over := s.due(time.Now().Add(13 * time.Hour)); !over {
		t.Error("it goes on for ever")
	}
}

// TestUnacknowledged: a session whose 2xx is never acknowledged ends (RFC 3261 §13.3.1.4), and one whose 2xx is goes on.
func TestUnacknowledged(t *testing.T) {
	for _, acked := range []bool{false, true} {
		a := newAgent(t, serve)
		a.Receive(moduletest.Invite)
		key := a.key()
		if acked {
			a.within("ACK", 314159, key)
		}
		a.take()
		a.m.sweep(time.Now().Add(maxUnacked + time.Second))
		if n := a.take(); (n == 1) == acked || (a.key() == "") == acked {
			t.Errorf("acknowledged %v: %d events, session %q", acked, n, a.key())
		}
	}
}

func TestFlags(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "t30": true, "t0": false, "t": false, "ardhbn": true, "t600ab": true, "x": false, "t99999999999999999999": false} {
		if _, err := parseFlags(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if f, _ := parseFlags("t30a"); f.lasts != 30*time.Second || !f.acks {
		t.Errorf("%+v", f)
	}
}

// TestLines: nobody can make more lines of a message.
func TestLines(t *testing.T) {
	for _, w := range []message{{body: "x", kind: "text/plain\r\nX: y"}, {headers: "no header"}, {headers: "A: b\r\n\r\nbody"}} {
		if text, err := w.lines(); err == nil {
			t.Errorf("%+v gives %q", w, text)
		}
	}
}
