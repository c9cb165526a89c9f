package dispatcher_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/tm"
	"sipreactor/sipframe"
)

// send hands the configuration an INVITE.
func send(b *moduletest.Bench, callID string) {
	b.Receive([]byte(strings.Join([]string{"INVITE sip:bob@example.net SIP/2.0", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK" + callID, "Max-Forwards: 70",
		"From: <sip:alice@example.net>;tag=a", "To: <sip:bob@example.net>", "Call-ID: " + callID, "CSeq: 1 INVITE", "Content-Length: 0", "", ""}, "\r\n")))
}

// answer has the callee answer the INVITE that was sent last.
func answer(t testing.TB, b *moduletest.Bench, status string) {
	t.Helper()
	var to moduletest.Sent
	for _, s := range b.Sent {
		if strings.HasPrefix(s.Text, "INVITE ") {
			to = s
		}
	}
	m := new(sipframe.Message)
	if err := m.Parse([]byte(to.Text)); err != nil {
		t.Fatalf("%v: %v", err, b.Log)
	}
	text := "SIP/2.0 " + status + "\r\n"
	for i := range m.NumHeaders() {
		switch h := m.Header(i); h.Kind {
		case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderTo:
			text += string(m.Bytes(h.Line))
		}
	}
	b.Context.Receive([]byte(text+"Content-Length: 0\r\n\r\n"), &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
		Remote: netip.AddrPortFrom(to.Target.Addr.Addr(), to.Target.Addr.Port()), Local: moduletest.Sockets[0].Addr})
}

// seen gives what an operator is shown of the first destination.
func seen(t testing.TB, b *moduletest.Bench) mi.Destination {
	t.Helper()
	return b.Config.Instance("dispatcher").(mi.DestinationSource).Destinations()[0]
}

const two = "setid,destination\n1,sip:10.0.0.1:5061;transport=tls\n1,sip:10.0.0.2:5061;transport=tls\n"

// TestCallsAreCounted: what becomes of calls is told of the destination they went to.
func TestCallsAreCounted(t *testing.T) {
	b := moduletest.New(t, strings.Replace(head(t, two), "loadmodule \"dispatcher.so\"", "loadmodule \"tm.so\"\nloadmodule \"dispatcher.so\"", 1)+
		`route { ds_select_dst(1, 8); t_relay(); }`, tm.New, dispatcher.New)
	send(b, "c1")
	if d := seen(t, b); d.Calls != 1 || d.Running != 1 || d.State != "Active" || d.URI != "sip:10.0.0.1:5061;transport=tls" {
		t.Errorf("under way: %+v", d)
	}
	answer(t, b, "180 Ringing")
	if d := seen(t, b); d.Running != 1 || d.Latency <= 0 {
		t.Errorf("ringing: %+v", d)
	}
	answer(t, b, "200 OK")
	send(b, "c2")
	answer(t, b, "486 Busy Here")
	send(b, "c3")
	answer(t, b, "302 Moved Temporarily")
	if d := seen(t, b); d.Calls != 3 || d.Running != 0 || d.Answers != [6]uint64{1: 1, 2: 1, 3: 1} {
		t.Errorf("answered: %+v", d)
	}
}

// TestEjection: a destination that fails calls rests, and they go to the other.
func TestEjection(t *testing.T) {
	b := moduletest.New(t, strings.Replace(head(t, two, "ds_eject_ratio=50", "ds_eject_calls=4"), "loadmodule \"dispatcher.so\"", "loadmodule \"tm.so\"\nloadmodule \"dispatcher.so\"", 1)+
		`route { ds_select_dst(1, 8); xlog("$du"); t_relay(); }`, tm.New, dispatcher.New)
	for i := range 4 {
		send(b, fmt.Sprintf("c%d", i))
		answer(t, b, "500 Broken")
	}
	if d := seen(t, b); d.State != "Resting" || d.Answers[4] != 4 {
		t.Errorf("%+v", d)
	}
	send(b, "next")
	if got := lines(b.Log); got != "sip:10.0.0.2:5061;transport=tls" {
		t.Errorf("the next call goes to %s", got)
	}
}

// TestOperator: the page's buttons.
func TestOperator(t *testing.T) {
	b := moduletest.New(t, head(t, two)+`route { ds_select_dst(1, 8); xlog("$du"); }`, dispatcher.New)
	s := b.Config.Instance("dispatcher").(mi.DestinationSource)
	d := seen(t, b)
	if err := s.SetDestination(d.Group, d.Name, false); err != nil {
		t.Fatal(err)
	}
	if d = seen(t, b); d.State != "Inactive" || d.Why != "management interface" || d.Group != "default:1" {
		t.Errorf("%+v", d)
	}
	if err := s.SetDestination("default:2", d.Name, true); err == nil {
		t.Error("a destination of another set is enabled")
	}
	if _, err := s.ProbeDestination(t.Context(), d.Group, d.Name); err == nil || !strings.Contains(err.Error(), "tm, which is not loaded") {
		t.Errorf("a ping without tm: %v", err)
	}
}
