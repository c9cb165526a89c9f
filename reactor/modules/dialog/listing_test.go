package dialog

import (
	"encoding/json"
	"fmt"
	"testing"

	"sipreactor/reactor"
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/rpc"
)

// listed is a module with dialogs as calls make them.
func listed(tb testing.TB, many int) *Module {
	tb.Helper()
	m := &Module{dialogs: core.New(core.Config{})}
	socket := &reactor.Socket{}
	for i := range many {
		d, err := m.dialogs.Create(&core.Init{CallID: fmt.Sprintf("%d-a84b4c76e66710@pc33.example.com", i), FromTag: "1928301774", CSeq: 1, Timeout: 43200,
			FromURI: "sip:alice@example.com", ToURI: "sip:bob@example.com", RequestURI: "sip:bob@example.com",
			Caller: core.Leg{Tag: "1928301774", Contact: "sip:alice@192.0.2.1:40000;transport=tls", CSeq: 1, Socket: socket}}, 1_700_000_000)
		if err != nil {
			tb.Fatal(err)
		}
		d.Heard(200, &core.Said{Tag: []byte("456248"), Contact: []byte("sip:bob@192.0.2.9:5061;transport=tls"), Routes: []byte("<sip:198.51.100.7;transport=tls;lr>"), Socket: socket}, 1_700_000_001)
		d.Acked([]byte("456248"))
	}
	return m
}

// TestPages: pages of dlg_list have each dialog once, by number, and tell how many there are; one that asks for what is not
// there is empty.
func TestPages(t *testing.T) {
	const many = 107
	m := listed(t, many)
	d := rpc.NewDispatcher(nil)
	if err := d.Register(m.commands()...); err != nil {
		t.Fatal(err)
	}
	page := func(params string) (p struct {
		Count   *int `json:"count"`
		Dialogs []struct {
			CallID string `json:"callid"`
		}
	}) {
		t.Helper()
		var answer struct{ Result, Error json.RawMessage }
		text := d.Handle(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"dlg_list","params":`+params+`}`))
		if err := json.Unmarshal(text, &answer); err != nil || answer.Error != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if err := json.Unmarshal(answer.Result, &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	seen := make(map[string]bool)
	for at := 0; ; at += 10 {
		p := page(fmt.Sprintf(`{"index":%d,"counter":10}`, at))
		if p.Count == nil || *p.Count != many || len(p.Dialogs) != min(10, max(0, many-at)) {
			t.Fatalf("at %d: %+v", at, p)
		}
		for _, d := range p.Dialogs {
			if seen[d.CallID] {
				t.Errorf("%s is there twice", d.CallID)
			}
			seen[d.CallID] = true
		}
		if len(p.Dialogs) == 0 {
			break
		}
	}
	if len(seen) != many {
		t.Errorf("%d dialogs, want %d", len(seen), many)
	}
	if p := page(`{}`); p.Count != nil || len(p.Dialogs) != many {
		t.Errorf("all: %d", len(p.Dialogs))
	}
}

// BenchmarkList is dlg_list of 50,000 calls, all and a page of them.
func BenchmarkList(b *testing.B) {
	m := listed(b, 50_000)
	d := rpc.NewDispatcher(nil)
	if err := d.Register(m.commands()...); err != nil {
		b.Fatal(err)
	}
	for _, tt := range []struct{ name, params string }{{"all", `{}`}, {"page", `{"index":25000,"counter":10}`}} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(len(d.Handle(b.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"dlg_list","params":`+tt.params+`}`)))))
			}
		})
	}
}
