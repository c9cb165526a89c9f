package ng

import (
	"errors"
	"testing"
	"time"

	"sipreactor/reactor/modules/internal/relay/cookie/cookietest"
)

var ping = Dict{{"command", "ping"}}

const pong = "d6:result4:ponge"

// Others' cookies, no cookies, no bencoding and doubles are passed over.
func TestGarbage(t *testing.T) {
	c := NewClient(cookietest.Serve(t, func(cookie, _ []byte) []string {
		return []string{"", "x", "other " + pong, string(cookie), string(cookie) + " ", string(cookie) + " i1e", string(cookie) + " d6:resul", string(cookie) + " " + pong, string(cookie) + " " + pong}
	}), 200*time.Millisecond, 100, nil)
	defer c.Close()
	for range 5 {
		if d, err := c.Do(t.Context(), ping); err != nil || d.Text("result") != "pong" {
			t.Fatal(d, err)
		}
	}
}

// Who answers a ping with something else is no rtpengine that serves.
func TestPing(t *testing.T) {
	for answer, want := range map[string]error{pong: nil, "d6:result5:errore": errPing} {
		c := NewClient(cookietest.Serve(t, func(cookie, _ []byte) []string { return []string{string(cookie) + " " + answer} }), time.Second, 5, nil)
		if err := c.Ping(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v", answer, err)
		}
		c.Close()
	}
}
