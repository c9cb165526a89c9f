package mi

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rpc"
)

// backingOff is an engine with two destinations that are left alone.
type backingOff struct {
	Engine
	reset []netip.AddrPort
}

func (*backingOff) Backoff() []reactor.BackoffInfo {
	return []reactor.BackoffInfo{
		{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5061"), Domain: "out", Name: "evil.example",
			Reason: &reactor.Error{Reason: reactor.HandshakeFailed, Detail: "its name"}, Step: 2 * time.Second,
			Left: 1500 * time.Millisecond, Since: 500 * time.Millisecond, Refused: 7},
		{Proto: reactor.TCP, Addr: netip.MustParseAddrPort("[2001:db8::1]:5060"), Reason: &reactor.Error{Reason: reactor.ConnectTimeout},
			Step: 30 * time.Second, Probing: true},
	}
}

func (b *backingOff) ResetBackoff(at netip.AddrPort) int {
	b.reset = append(b.reset, at)
	return 2
}

func TestBackoffCommands(t *testing.T) {
	e := &backingOff{}
	find := func(name string) *rpc.Command {
		list := (&Node{Engine: e}).backoff()
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
		t.Fatalf("no command %s", name)
		return nil
	}
	call := func(name, params string) string {
		c := find(name)
		a, bad := rpc.ParseArgs(json.RawMessage(params), c.Params)
		if bad != nil {
			t.Fatal(bad)
		}
		v, err := c.Func(t.Context(), a)
		if err != nil {
			return err.Error()
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	got := call("tcp_backoff", "[]")
	for _, want := range []string{`"Remote":"192.0.2.1:5061"`, `"TLS Domain":"out"`, `"SIP Domain":"evil.example"`, `"Reason":"handshake failed: its name"`,
		`"Step":"2s"`, `"Left":"1.5s"`, `"Failed ago":"500ms"`, `"Refused":7`, `"Remote":"[2001:db8::1]:5060"`, `"Probing":true`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if got := call("tcp_backoff_reset", `["192.0.2.1:5061"]`); got != `{"Reset":2}` || e.reset[0].String() != "192.0.2.1:5061" {
		t.Errorf("one: %s, %v", got, e.reset)
	}
	if got := call("tcp_backoff_reset", `[]`); got != `{"Reset":2}` || e.reset[1].IsValid() {
		t.Errorf("all: %s, %v", got, e.reset)
	}
	if got := call("tcp_backoff_reset", `["x"]`); !strings.Contains(got, "ip:port") || len(e.reset) != 2 {
		t.Errorf("nonsense: %s", got)
	}
}
