package mi

import "testing"

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
