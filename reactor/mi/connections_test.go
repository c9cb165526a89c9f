package mi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

func TestListConnections(t *testing.T) {
	n, _ := fakeNode()
	d := commandsOf(t, n)
	got := ask(t, d, "list_tcp_conns", "[]")
	var list struct {
		Connections []map[string]any
		Total       int
	}
	if err := json.Unmarshal([]byte(got), &list); err != nil || len(list.Connections) != 3 || list.Total != 0 {
		t.Fatalf("%s: %v", got, err)
	}
	if life, _ := list.Connections[0]["Lifetime"].(string); len(life) != len(time.DateTime) {
		t.Errorf("Lifetime %q", life)
	}
	n.Lifetime = 0 // leaves out what changes
	const first = `{"ID":4294967297,"Type":"tls","State":0,"Remote":"198.51.100.7:40000","Local":"192.0.2.1:5061",` +
		`"TLS Version":"TLSv1.3","TLS Cipher":"TLS_AES_128_GCM_SHA256","TLS Cipher description":"","TLS Cipher bits":128,"TLS Peer verified":true,"TLS Domain":"edge",` +
		`"TLS Peer":"CN=pbx.example,O=Example","TLS Resumed":true,"TLS Handshake":"1.5ms",` +
		`"Direction":"in","Phase":"established","Queue":2,"Stuck":false,"Unanswered":0,"Age":90,"Idle":5,"Messages in":1,"Messages out":2,"Bytes in":3,"Bytes out":4}`
	const second = `{"ID":2,"Type":"tcp","State":1,"Remote":"[2001:db8::9]:5060","Local":"[2001:db8::1]:33333","Direction":"out","Phase":"connecting","Queue":0,"Stuck":true,"Unanswered":0,"Age":0,"Idle":0,` +
		`"Messages in":0,"Messages out":0,"Bytes in":0,"Bytes out":0}`
	if got = ask(t, d, "tcp:list", `{"proto":"TLS"}`); got != `{"Connections":[`+first+`]}` {
		t.Error(got)
	}
	if got = ask(t, d, "tcp:list", `["tcp"]`); !strings.HasPrefix(got, `{"Connections":[`+second+`,{"ID":3,"Type":"tcp","State":2,`) {
		t.Error(got)
	}
	if got = ask(t, d, "list_tcp_conns", `{"limit":1}`); got != `{"Connections":[`+first+`],"Total":3}` {
		t.Error(got)
	}
	for _, params := range []string{`["udp"]`, `["sctp"]`, `{"limit":0}`} {
		if got = ask(t, d, "list_tcp_conns", params); !strings.HasPrefix(got, `{"code":-32602,`) {
			t.Errorf("%s: %s", params, got)
		}
	}
	n, _ = fakeNode()
	n.Engine = new(fakeEngine)
	if got = ask(t, commandsOf(t, n), "list_tcp_conns", "[]"); got != `{"Connections":[]}` {
		t.Error(got)
	}
}

func TestConnState(t *testing.T) {
	for phase, want := range map[reactor.Phase]int{reactor.PhaseConnecting: 1, reactor.PhaseEnrolling: 1, reactor.PhaseHandshaking: 0,
		reactor.PhaseEstablished: 0, reactor.PhaseClosing: 2, reactor.PhaseClosing + 1: 2} {
		if got := connState(phase); got != want {
			t.Errorf("%v is %d, not %d", phase, got, want)
		}
	}
}

func TestCloseConnection(t *testing.T) {
	for _, c := range []struct {
		params, want string
		closed       []reactor.Handle
	}{
		{`[4294967297]`, `"OK"`, []reactor.Handle{1<<32 | 1}},
		{`["2"]`, `"OK"`, []reactor.Handle{2}},
		{`["198.51.100.7:40000"]`, `"OK"`, []reactor.Handle{1<<32 | 1}},
		{`["tls:198.51.100.7:40000"]`, `"OK"`, []reactor.Handle{1<<32 | 1}},
		{`{"ipport":"[2001:db8::9]:5060"}`, `"OK"`, []reactor.Handle{2}},
		{`["198.51.100.8:5060"]`, `"OK"`, []reactor.Handle{3}},
		{`["tcp:198.51.100.7:40000"]`, `{"code":404,"message":"Connection not found","data":"tcp:198.51.100.7:40000"}`, nil},
		{`[99]`, `{"code":404,"message":"Connection not found","data":"99"}`, nil},
		{`["edge.example"]`, `{"code":-32602,"message":"Invalid params","data":"ipport is neither an ID nor [proto:]ip:port"}`, nil},
		{`[]`, `{"code":-32602,"message":"Invalid params","data":"ipport is missing"}`, nil},
	} {
		n, e := fakeNode()
		if got := ask(t, commandsOf(t, n), "tcp_close_conn", c.params); got != c.want || !slices.Equal(e.closed, c.closed) {
			t.Errorf("%s: %s, closed %v", c.params, got, e.closed)
		}
	}
}

func TestListSockets(t *testing.T) {
	n, _ := fakeNode()
	const want = `{"Sockets":[{"Socket":"tls:192.0.2.1:5061","Proto":"tls","Address":"192.0.2.1","Port":5061,"Advertised":"edge.example","Advertised port":5061,"Tag":"outside"},` +
		`{"Socket":"tcp:[2001:db8::1]:5060","Proto":"tcp","Address":"2001:db8::1","Port":5060}]}`
	if got := ask(t, commandsOf(t, n), "list_sockets", "[]"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
