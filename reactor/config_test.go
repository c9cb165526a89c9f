package reactor

import (
	"fmt"
	"net/netip"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Each stream protocol has parameters of its own.
func TestParametersOfEachProto(t *testing.T) {
	var c Config
	for p, want := range map[Proto]*StreamConfig{TCP: &c.TCP, TLS: &c.TLS, WS: &c.WS, WSS: &c.WSS} {
		if c.stream(p) != want {
			t.Errorf("%v has those of another", p)
		}
	}
}

// A configuration that says nothing of how connections behave is the documented one.
func TestSilentConfig(t *testing.T) {
	sockets := []SocketConfig{{Proto: TCP, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	got, want := Config{Sockets: sockets, Loops: 3, Workers: 4, Handshakers: 5}, DefaultConfig()
	want.Sockets, want.Loops, want.Workers, want.Handshakers = sockets, 3, 4, 5
	for _, c := range []*Config{&got, &want} {
		if err := c.complete(); err != nil {
			t.Fatal(err)
		}
		c.Logger, c.Observer, c.roundTrip = nil, nil, nil // which cannot be compared
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What no number of a configuration can be is an error that names it.
func TestWrongNumbers(t *testing.T) {
	for want, set := range map[string]func(c *Config){
		"Loops is below 0":                        func(c *Config) { c.Loops = -1 },
		"Loops is 300: it takes up to 256":        func(c *Config) { c.Loops = 300 },
		"Workers is below 0":                      func(c *Config) { c.Workers = -5 },
		"TLS.SendTimeout is below 0":              func(c *Config) { c.TLS.SendTimeout = -1 },
		"WSS.Web.AcceptTimeout is below 0":        func(c *Config) { c.WSS.Web.AcceptTimeout = -1 },
		"Keepalive.Count is below 0":              func(c *Config) { c.Keepalive.Count = -1 },
		"Lifetime is 1.5s: it takes whole second": func(c *Config) { c.Lifetime = 1500 * time.Millisecond },
		"Lifetime is 0s":                          func(c *Config) { c.Lifetime = 0 },
		"Waiters is 0":                            func(c *Config) { c.Waiters = 0 },
		"MaxMessageSize is 0":                     func(c *Config) { c.MaxMessageSize = 0 },
	} {
		c := DefaultConfig()
		c.Sockets = []SocketConfig{{Proto: TCP, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
		set(&c)
		if _, err := New(c, &script{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// What is left to the engine comes from the cores: handshakes leave one to the traffic.
func TestNumbersByCores(t *testing.T) {
	was := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(was)
	for cores, want := range map[int]Goroutines{1: {1, 1, 1}, 2: {1, 1, 2}, 8: {4, 7, 8}} {
		runtime.GOMAXPROCS(cores)
		if got := bare(t, &script{}, nil).Goroutines(); got != want {
			t.Errorf("%d cores: %+v, want %+v", cores, got, want)
		}
	}
	if got := bare(t, &script{}, func(c *Config) { c.Loops, c.Handshakers, c.Workers = 3, 5, 7 }).Goroutines(); got != (Goroutines{3, 5, 7}) {
		t.Errorf("%+v", got)
	}
}

// places is a Handler that knows the shard of a branch, and the other side's Call-IDs.
type places struct{ script }

func (*places) Shard(branch []byte) (int, bool) { return 5, string(branch) == "z9hG4bKours" }
func (*places) CallID(callID []byte) []byte {
	if string(callID) == "theirs" {
		return []byte("ours")
	}
	return callID
}

// A Handler that says so has messages in the shards that it means.
func TestHandlerChoosesTheShard(t *testing.T) {
	d := &bare(t, &places{}, func(c *Config) { c.Workers = 64 }).dispatcher
	of := func(first, branch, callID string) int {
		return d.Of(fmt.Appendf(nil, "%s\r\nVia: SIP/2.0/TCP h;branch=%s\r\nCall-ID: %s\r\n\r\n", first, branch, callID))
	}
	const request, response = "BYE sip:b@h SIP/2.0", "SIP/2.0 200 OK"
	apart := 0
	for i := range 20 {
		if of(response, "z9hG4bKours", fmt.Sprint(i)) != 5 {
			t.Error("a response is not in the shard of its branch")
		}
		if of(request, "z9hG4bKtheirs", fmt.Sprint(i)) != of(request, "z9hG4bKtheirs", "ours") {
			apart++
		}
	}
	if of(request, "z9hG4bKtheirs", "theirs") != of(request, "z9hG4bKtheirs", "ours") || apart < 15 {
		t.Errorf("the two sides of a call are apart, or %d others only", apart)
	}
}
