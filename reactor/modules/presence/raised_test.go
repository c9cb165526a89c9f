package presence

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// listener is script.Events.
type listener struct{ heard []string }

func (l *listener) Heard(string) bool { return true }

func (l *listener) Raise(name string, params ...script.Param) {
	l.heard = append(l.heard, fmt.Sprint(name, params))
}

type plain struct{}

func (plain) Name() string                        { return "presence" }
func (plain) Type() string                        { return "text/plain" }
func (plain) Check([]byte) error                  { return nil }
func (plain) Body(_ string, list [][]byte) []byte { return list[0] }

// TestExpose: what is published by those whose URI matches is told, and nothing that is over.
func TestExpose(t *testing.T) {
	m := New(nil).Instance.(*Module)
	heard := new(listener)
	m.env = &script.Env{Surroundings: script.Surroundings{Events: heard}}
	m.Add(plain{}, nil)
	now := m.now()
	for uri, expires := range map[string]int64{"sip:bob@a.example": now + 100, "sip:alice@a.example": now + 100, "sip:carol@b.example": now + 100, "sip:dave@a.example": now - 1} {
		m.state.publish(resource{uri, "presence"}, &publication{etag: "of" + uri[4:6], body: []byte("here"), expires: expires})
	}
	m.state.publish(resource{"sip:bob@a.example", "other"}, &publication{etag: "x", expires: now + 100})
	m.state.add(&subscription{id: dialogID{callID: "1"}, of: resource{"sip:bob@a.example", "presence"}, watcher: "sip:w1@a.example", expires: now + 9})
	m.state.add(&subscription{id: dialogID{callID: "2"}, of: resource{"sip:carol@b.example", "presence"}, watcher: "sip:w2@b.example", expires: now + 9})
	d := rpc.NewDispatcher(nil)
	if err := d.Register(m.commands()...); err != nil {
		t.Fatal(err)
	}
	call := func(method, params string) string {
		return string(d.Handle(t.Context(), fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)))
	}
	if got := call("presence:expose", `["presence", "@a\\.example"]`); !strings.Contains(got, `"OK"`) {
		t.Fatal(got)
	}
	if len(heard.heard) != 2 || !strings.Contains(heard.heard[0], "E_PRESENCE_EXPOSED") || !strings.Contains(heard.heard[0], "alice") ||
		!strings.Contains(heard.heard[0], "a.example") || !strings.Contains(heard.heard[1], "ofbo") || !strings.Contains(heard.heard[1], "here") {
		t.Errorf("%q", heard.heard)
	}
	for params, want := range map[string]string{`["nothing"]`: "Event not found", `["presence", "("]`: "Bad filter"} {
		if got := call("pres_expose", params); !strings.Contains(got, want) {
			t.Errorf("%s: %s", params, got)
		}
	}
	for params, want := range map[string]string{`{}`: "12", `{"from":"sip:w1@*"}`: "1", `{"to":"*@b.example"}`: "2", `{"from":"sip:w1@*","to":"*@b.example"}`: ""} {
		got := call("subs_phtable_list", params)
		for _, id := range []string{"1", "2"} {
			if strings.Contains(got, `"callid":"`+id+`"`) != strings.Contains(want, id) {
				t.Errorf("%s: %s", params, got)
			}
		}
	}
	if got := call("cleanup", `{}`); !strings.Contains(got, `"OK"`) || m.state.find(resource{"sip:dave@a.example", "presence"}, "ofda", now-10) != nil {
		t.Errorf("after the cleanup: %s", got)
	}
}
