package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/hep"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/rpc"
)

// traceRoute forwards a request, traced, to the TCP socket that it names, which
// is ours, where it is answered.
const traceRoute = `
route {
	trace("tid");
	if ($rU == "there") {
		$rU = "back";
		forward();
		exit;
	}
	sl_send_reply(200, "OK");
}
onreply_route {
	trace("tid");
}
`

// tracingMessages starts a node that traces SIP messages to a collector.
func tracingMessages(t *testing.T, k *collector, params ...string) *contract {
	t.Helper()
	c := prepare(t)
	text := "socket=tls:127.0.0.1:5061\nsocket=tcp:127.0.0.1:5060\n" + strings.ReplaceAll(contractModules, "DIR", c.dir) + generous() +
		"loadmodule \"proto_hep.so\"\nloadmodule \"tracer.so\"\n" + k.id("homer") +
		"modparam(\"tracer\", \"trace_id\", \"[tid]uri=hep:homer\")\n" + strings.Join(params, "") + traceRoute
	cfg, err := loader().Compile("contract.cfg", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	chosen := netip.MustParseAddrPort("127.0.0.1:0")
	sockets := []reactor.SocketConfig{{Proto: reactor.TLS, Addr: chosen}, {Proto: reactor.TCP, Addr: chosen}}
	n, err := assemble(cfg, sockets, newLogger(c.log, cfg.Log.Level, ""), nil)
	c.run(n, err)
	c.Cleanup(n.close)
	return c
}

// hop is what a packet tells: type and first word, and who sends it to whom.
type hop struct {
	what     string
	id       string
	from, to netip.AddrPort
}

// hops gives so many packets, in the order of their times: a response may reach a
// worker before the one that has sent the request is done with it.
func (k *collector) hops(n int) (list []hop) {
	k.t.Helper()
	var packets []hep.Packet
	for range n {
		packets = append(packets, k.packet(patience))
	}
	slices.SortStableFunc(packets, func(a, b hep.Packet) int { return a.Time.Compare(b.Time) })
	for _, p := range packets {
		word, _, _ := strings.Cut(strings.TrimPrefix(string(p.Payload), "SIP/2.0 "), " ")
		list = append(list, hop{word, string(p.Correlation), p.Source, p.Target})
	}
	return list
}

// A request that comes by TLS, goes by TCP and is answered is traced decrypted,
// both ways, each message with the id of the connection that carries it.
func TestContractTraceMessages(t *testing.T) {
	k := collect(t)
	c := tracingMessages(t, k, trace("tls", "destination", `"homer"`), trace("tls", "on", 1))
	p := c.dial("tls")
	opened := k.packet(patience)
	if !strings.Contains(string(opened.Payload), "ACCEPTED") {
		t.Fatalf("told %q", opened.Payload)
	}
	p.ask(fmt.Sprintf("sip:there@%v;transport=tcp", c.addr("tcp")))
	p.expect(200)
	list := k.hops(6)
	var words, ids []string
	for _, h := range list {
		words, ids = append(words, h.what), append(ids, h.id)
	}
	if want := []string{"MESSAGE", "MESSAGE", "MESSAGE", "200", "200", "200"}; !slices.Equal(words, want) {
		t.Fatalf("told %+v", list)
	}
	in, out, ours := ids[0], ids[1], ids[2]
	if want := []string{in, out, ours, ours, out, in}; !slices.Equal(ids, want) || in == out || out == ours || in != string(opened.Correlation) {
		t.Errorf("ids %q, the connection's is %s", ids, opened.Correlation)
	}
	peer, edge := netip.MustParseAddrPort(p.LocalAddr().String()), c.addr("tls")
	dialled, tcp := list[1].from, c.addr("tcp")
	for i, want := range [][2]netip.AddrPort{{peer, edge}, {dialled, tcp}, {dialled, tcp}, {tcp, dialled}, {tcp, dialled}, {edge, peer}} {
		if got := [2]netip.AddrPort{list[i].from, list[i].to}; got != want {
			t.Errorf("message %d goes from %v to %v, want %v", i, got[0], got[1], want)
		}
	}
}

// trace_on and the command trace turn messages on and off, and leave
// connections alone.
func TestContractTraceMessagesSwitch(t *testing.T) {
	k := collect(t)
	c := tracingMessages(t, k, "modparam(\"tracer\", \"trace_on\", 0)\n")
	d := rpc.NewDispatcher(nil)
	if err := d.Register((&mi.Node{Tracer: c.trace.messages()}).Commands()...); err != nil {
		t.Fatal(err)
	}
	command := func(params string) string {
		var answer struct{ Result json.RawMessage }
		raw := d.Handle(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"trace","params":`+params+`}`))
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatal(err)
		}
		return string(answer.Result)
	}
	p := c.dial("tls")
	told := func(want bool) {
		t.Helper()
		p.ask(here)
		p.expect(200)
		wait := quietTime
		if want {
			wait = patience
		}
		if got := k.payload(wait); strings.HasPrefix(got, "MESSAGE ") != want {
			t.Fatalf("told %q, want a message %v", got, want)
		}
		if want {
			k.payload(patience) // the response
		}
	}
	told(false)
	const list = `{"global":"%s","trace destinations":[{"name":"tid","type":"HEP","uri":"%v","state":"%s"}]}`
	if got, want := command(`[]`), fmt.Sprintf(list, "off", k.pc.LocalAddr(), "on"); got != want {
		t.Errorf("trace answers %s, want %s", got, want)
	}
	command(`{"mode":"on"}`)
	told(true)
	command(`{"id":"tid","mode":"off"}`)
	told(false)
	if got, want := command(`[]`), fmt.Sprintf(list, "on", k.pc.LocalAddr(), "off"); got != want {
		t.Errorf("trace answers %s, want %s", got, want)
	}
	command(`{"id":"tid","mode":"on"}`)
	told(true)
}

// trace_master_key sends the secrets with the opening of a connection, or keeps
// them.
func TestContractTraceMasterKey(t *testing.T) {
	for _, on := range []int{0, 1} {
		k := collect(t)
		c := tracingTo(t, k.id("k"), trace("tls", "destination", `"k"`), trace("tls", "on", 1), trace("tls", "master_key", on))
		c.dial("tls")
		event := make(map[string]string)
		if err := json.Unmarshal([]byte(k.payload(patience)), &event); err != nil {
			t.Fatal(err)
		}
		key, there := event["master-key"]
		if there != (on == 1) || there && !strings.HasPrefix(key, "CLIENT_") && !strings.HasPrefix(key, "SERVER_") {
			t.Errorf("trace_master_key %d: %q", on, event)
		}
	}
}

// A trace that is begun by a command takes what its filters hold for, the response
// too, until it is stopped.
func TestContractTraceStart(t *testing.T) {
	configured, begun := collect(t), collect(t)
	c := tracingMessages(t, configured)
	d := rpc.NewDispatcher(nil)
	if err := d.Register((&mi.Node{Tracer: c.trace.messages()}).Commands()...); err != nil {
		t.Fatal(err)
	}
	command := func(method string, params ...string) string {
		t.Helper()
		list, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		return string(d.Handle(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+string(list)+`}`)))
	}
	ok := func(answer string) {
		t.Helper()
		if !strings.Contains(answer, `"OK"`) {
			t.Fatal(answer)
		}
	}
	uri := fmt.Sprintf("uri=hep:%v;transport=udp", begun.pc.LocalAddr())
	ok(command("tracer:trace", "off")) // what the script traces is not looked at
	ok(command("tracer:start", "id=nobody", uri, "filter=ip=192.0.2.1"))
	ok(command("tracer:start", "id=here", uri, "filter=ip=127.0.0.1"))
	ok(command("tracer:start", "id=known", "uri=hep:homer", "filter=caller=nobody"))
	p := c.dial("tls")
	p.ask(here)
	p.expect(200)
	if got := begun.payload(quietTime); got != "" {
		t.Fatalf("told %q while all of it is off", got)
	}
	ok(command("tracer:trace", "on"))
	p.ask(fmt.Sprintf("sip:there@%v;transport=tcp", c.addr("tcp")))
	p.expect(200)
	var words []string
	for _, h := range begun.hops(6) {
		words = append(words, h.what)
	}
	if want := []string{"MESSAGE", "MESSAGE", "MESSAGE", "200", "200", "200"}; !slices.Equal(words, want) {
		t.Errorf("told %q", words)
	}
	if list := command("tracer:trace", "id=known"); !strings.Contains(list, configured.pc.LocalAddr().String()) {
		t.Errorf("tracer:trace tells %s", list)
	}
	for params, want := range map[string]string{
		"uri=sip:10.0.0.1": "HEP collectors only", "uri=hep:": "is no host", "uri=hep:10.0.0.1;transport=ws": "has to be udp, tcp or tls",
	} {
		if got := command("tracer:start", "id=wrong", params); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %q", params, got, want)
		}
	}
	ok(command("tracer:stop", "here"))
	p.ask(here)
	p.expect(200)
	if got := begun.payload(quietTime); got != "" {
		t.Errorf("told %q behind tracer:stop", got)
	}
	var sent uint64
	for _, one := range c.trace.collectors() {
		if one.Name == "trace_start" {
			sent = one.Sent
		}
	}
	if sent != 6 {
		t.Errorf("%d packets of traces that have ended, want 6", sent)
	}
	for i := 0; i < maxBegun-2; i++ {
		ok(command("tracer:start", fmt.Sprintf("id=%d", i), uri))
	}
	if got := command("tracer:start", "id=more", uri); !strings.Contains(got, "which is the most") {
		t.Errorf("one more than %d: %s", maxBegun, got)
	}
}
