package mi

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
)

// toggle is a Switch of one goroutine.
type toggle bool

func (t *toggle) On() bool    { return bool(*t) }
func (t *toggle) Set(on bool) { *t = toggle(on) }

func TestTracer(t *testing.T) {
	all, tid, other := toggle(true), toggle(true), toggle(true)
	d := commandsOf(t, &Node{Tracer: &Tracer{All: &all, IDs: []TraceID{
		{"tid", "192.0.2.9:9060", &tid}, {"other", "198.51.100.1:9061", &other}, {"tid", "192.0.2.10:9060", &tid},
	}}})
	const wrong = `{"code":500,"message":"Bad parameter value","data":"mode should be 'on' or 'off'"}`
	for _, c := range []struct {
		params, want string
		all, tid     bool
	}{
		{`[]`, `{"global":"on","trace destinations":[` +
			`{"name":"tid","type":"HEP","uri":"192.0.2.9:9060","state":"on"},` +
			`{"name":"other","type":"HEP","uri":"198.51.100.1:9061","state":"on"},` +
			`{"name":"tid","type":"HEP","uri":"192.0.2.10:9060","state":"on"}]}`, true, true},
		{`{"mode": "off"}`, `"OK"`, false, true},
		{`{"mode": "ON"}`, `"OK"`, true, true},
		{`["off"]`, `"OK"`, false, true},
		{`{"id": "tid", "mode": "off"}`, `"OK"`, false, false},
		{`["tid", "On"]`, `"OK"`, false, true},
		{`{"id": "other"}`, `{"trace destinations":[{"name":"other","type":"HEP","uri":"198.51.100.1:9061","state":"on"}]}`, false, true},
		{`{"id": "nobody"}`, `{"code":500,"message":"Trace id not found","data":"nobody"}`, false, true},
		{`{"id": "nobody", "mode": "on"}`, `{"code":500,"message":"Trace id not found","data":"nobody"}`, false, true},
		{`{"id": "on", "mode": "on"}`, `{"code":500,"message":"Trace id not found","data":"on"}`, false, true},
		{`{"mode": "maybe"}`, wrong, false, true},
		{`{"id": "tid", "mode": "0"}`, wrong, false, true},
		{`{"trace_mode": "on"}`, `{"code":-32602,"message":"Invalid params","data":"Named parameters do not match"}`, false, true},
	} {
		if got := ask(t, d, "trace", c.params); got != c.want {
			t.Errorf("trace %s\ngot  %s\nwant %s", c.params, got, c.want)
		}
		if bool(all) != c.all || bool(tid) != c.tid || !bool(other) {
			t.Errorf("behind %s: all %v, tid %v, other %v", c.params, all, tid, other)
		}
	}
	for _, name := range []string{"trace", "tracer:trace", "sip_trace"} {
		if c, ok := d.Command(name); !ok || c.Module != "tracer" {
			t.Errorf("%s is %+v", name, c)
		}
		if _, ok := commandsOf(t, &Node{}).Command(name); ok {
			t.Errorf("%s without a tracer", name)
		}
	}
}

// begun is a BegunTraces that remembers.
type begun []TraceStart

func (b *begun) Start(s TraceStart) error {
	if s.URI != "hep:10.0.0.1:9060" {
		return errors.New("no collector")
	}
	*b = append(*b, s)
	return nil
}

func (b *begun) Stop(id string) error {
	n := len(*b)
	if *b = slices.DeleteFunc(*b, func(s TraceStart) bool { return s.ID == id }); len(*b) == n {
		return errors.New("none")
	}
	return nil
}

func (b *begun) List() (ids []TraceID) {
	for _, s := range *b {
		ids = append(ids, TraceID{s.ID, s.URI, new(toggle)})
	}
	return ids
}

func TestTraceStart(t *testing.T) {
	all, tid := toggle(true), toggle(true)
	var b begun
	d := commandsOf(t, &Node{Tracer: &Tracer{All: &all, IDs: []TraceID{{"tid", "192.0.2.9:9060", &tid}}, Begun: &b}})
	bad := func(data string) string { return `{"code":500,"message":"Bad parameter value","data":"` + data + `"}` }
	loopback := netip.MustParseAddr("127.0.0.1")
	const uri = `"uri=hep:10.0.0.1:9060"`
	for _, c := range []struct {
		params, want string
		start        TraceStart
	}{
		{`["id=x", ` + uri + `, "filter=ip=127.0.0.1"]`, `"OK"`, TraceStart{IP: loopback, Responses: true}},
		{`["id=x", ` + uri + `, "filter=caller=Alice", "filter=callee=Bob@b.example", "scope=m", "type=sip"]`, `"OK"`,
			TraceStart{Caller: "Alice", Callee: "Bob@b.example"}},
		{`{"id":"x","uri":"hep:10.0.0.1:9060","filter":["ip=::ffff:127.0.0.1"],"scope":"T"}`, `"OK"`, TraceStart{IP: loopback, Responses: true}},
		{`["x", "hep:10.0.0.1:9060", ["caller=a"], "m"]`, `"OK"`, TraceStart{Caller: "a"}},
		{`["x", "hep:10.0.0.1:9060"]`, `"OK"`, TraceStart{Responses: true}},
		{`["id=tid", ` + uri + `]`, bad(`id \"tid\" is empty or taken`), TraceStart{}},
		{`["id=x", ` + uri + `, "scope=d"]`, bad(`scope \"d\": tracing follows no dialogs and no sessions: ` +
			`m takes requests and what is sent because of them, t the responses to them, too`), TraceStart{}},
		{`["id=x", ` + uri + `, "type=sip|xlog"]`, bad(`type \"sip|xlog\": SIP messages are traced, sip`), TraceStart{}},
		{`["id=x", ` + uri + `, "filter=method=INVITE"]`, bad(`filter \"method=INVITE\": there are caller=, callee= and ip=`), TraceStart{}},
		{`["id=x", ` + uri + `, "filter=ip=here"]`, bad(`filter \"ip=here\": \"here\" is no address`), TraceStart{}},
		{`["id=x", ` + uri + `, "filter=caller="]`, bad(`filter \"caller=\" has no value`), TraceStart{}},
		{`["id=x", ` + uri + `, "filter=caller=Alice", "filter=caller=Bob"]`,
			bad(`filter \"caller=Bob\": caller stands twice, and all filters have to hold; one trace each takes both`), TraceStart{}},
		{`["id=x", "uri=sip:10.0.0.1"]`, `{"code":500,"message":"Trace not started","data":"no collector"}`, TraceStart{}},
		{`["id=x"]`, `{"code":-32602,"message":"Invalid params","data":"uri is missing"}`, TraceStart{}},
	} {
		b = nil
		if got := ask(t, d, "tracer:start", c.params); got != c.want {
			t.Errorf("tracer:start %s\ngot  %s\nwant %s", c.params, got, c.want)
		}
		c.start.ID, c.start.URI = "x", "hep:10.0.0.1:9060"
		if done := c.want == `"OK"`; done != (len(b) == 1) || done && b[0] != c.start {
			t.Errorf("tracer:start %s begins %+v, want %+v", c.params, b, c.start)
		}
	}
	b = begun{{ID: "x"}}
	for _, c := range []struct{ command, params, want string }{
		{"trace_start", `["id=x", ` + uri + `]`, bad(`id \"x\" is empty or taken`)},
		{"trace", `["id=x"]`, `{"trace destinations":[{"name":"x","type":"HEP","uri":"","state":"off"}]}`},
		{"tracer:stop", `["x"]`, `"OK"`},
		{"trace_stop", `["id=x"]`, `{"code":500,"message":"Trace id not found","data":"none"}`},
		{"trace_stop", `["tid"]`, `{"code":500,"message":"Trace id not found","data":"tid is a trace_id of the configuration: trace id=tid mode=off turns it off"}`},
	} {
		if got := ask(t, d, c.command, c.params); got != c.want {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.command, c.params, got, c.want)
		}
	}
}
