package reactor

import (
	"fmt"
	"runtime"
	"testing"
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
