package hep

import (
	"encoding/json"
	"testing"

	"sipreactor/reactor"
)

// TestWebSocketHandshake: the opening of a WebSocket connection tells its handshake, and that of others none.
func TestWebSocketHandshake(t *testing.T) {
	b := newBench(t, func(c *Config) { c.WS, c.TLS = c.TLS, Lane{} })
	src := source(7, false)
	src.Proto = reactor.WS
	b.Observe(&reactor.Event{Kind: reactor.ConnAccepted, Src: src})
	b.Observe(&reactor.Event{Kind: reactor.ConnEstablished, Src: src, Request: "GET / HTTP/1.1\r\nHost: h", Answer: "HTTP/1.1 101 Switching Protocols"})
	b.life(src, orderly, closed)
	b.sender.Close()
	packets := b.await(2)
	var up, down map[string]string
	if json.Unmarshal(packets[0].Payload, &up) != nil || json.Unmarshal(packets[1].Payload, &down) != nil {
		t.Fatalf("%s\n%s", packets[0].Payload, packets[1].Payload)
	}
	if up["Event"] != "ACCEPTED" || up["Request"] != "GET / HTTP/1.1\r\nHost: h" || up["Answer"] != "HTTP/1.1 101 Switching Protocols" {
		t.Errorf("the opening: %v", up)
	}
	if _, told := down["Request"]; told || down["Event"] != "CLOSED" {
		t.Errorf("the end: %v", down)
	}
}
