package proxy

import (
	"errors"
	"strings"
	"testing"
)

// RFC 3261 16.6 item 3.
func TestMaxForwards(t *testing.T) {
	for _, tc := range []struct {
		header string
		want   int
		out    string
	}{
		{"Max-Forwards: 70", HopsCounted, "69"},
		{"Max-Forwards: 1", HopsCounted, "0"},
		{"Max-Forwards:  255", HopsCounted, "254"},
		{"Max-Forwards:", HopsAdded, "10"},
		{"Max-Forwards: 0", HopsOut, ""},
	} {
		b := newBed(t, funcs{request: func(c *Context) {
			for range 2 {
				if got := c.MaxForwards(10); got != tc.want {
					t.Errorf("%s: %d, want %d", tc.header, got, tc.want)
				}
			}
			_ = c.Forward(nil)
		}})
		s := b.one(invite(tc.header), overTLS)
		if tc.out == "" {
			if !strings.HasPrefix(s.text, "SIP/2.0 483 Too Many Hops\r\n") {
				t.Errorf("%s: %s", tc.header, s.text)
			}
			continue
		}
		if got := header(t, s.text, "Max-Forwards"); got != tc.out {
			t.Errorf("%s leaves as %s, want %s", tc.header, got, tc.out)
		}
	}
}

// No request leaves with more hops than it may, whether it came with more or gets the header here.
func TestHopLimit(t *testing.T) {
	for in, want := range map[string]string{"Max-Forwards: 70": "30", "Max-Forwards: 31": "30", "Max-Forwards: 30": "29", "Max-Forwards:": "30"} {
		b := newBed(t, funcs{request: func(c *Context) {
			c.MaxForwards(60)
			_ = c.Forward(nil)
		}}, func(c *Config) { c.HopLimit = 30 })
		if got := header(t, b.one(invite(in), overTLS).text, "Max-Forwards"); got != want {
			t.Errorf("%s leaves as %s, want %s", in, got, want)
		}
	}
}

// Forward counts for a Router that does not.
func TestForwardCountsHops(t *testing.T) {
	b := newBed(t, funcs{}, func(c *Config) { c.MaxForwards = 20 })
	if got := header(t, b.one(invite("Max-Forwards:"), overTLS).text, "Max-Forwards"); got != "20" {
		t.Errorf("added %s", got)
	}
	var err error
	b = newBed(t, funcs{request: func(c *Context) { err = c.Forward(nil) }})
	if s := b.one(invite("Max-Forwards: 0"), overTLS); !strings.HasPrefix(s.text, "SIP/2.0 483 ") || !errors.Is(err, ErrHops) {
		t.Errorf("got %s, error %v", firstLine(s.text), err)
	}
	b.counts(map[Counter]uint64{HopsSpent: 1, ForwardsFailed: 1, OwnResponses: 1})
	ack := request("ACK", "sip:bob@203.0.113.9", "Max-Forwards: 0", inside)
	if list := b.pass(ack, overTLS); len(list) != 0 {
		t.Errorf("an ACK leads to %+v", list)
	}
}

// A request with no hop left may be answered here (16.3 item 3).
func TestAnswerAtZeroHops(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		if n, ok := c.HopsLeft(); n != 0 || !ok {
			t.Errorf("hops left %d, %v", n, ok)
		}
		_ = c.Respond(200, nil)
	}})
	if s := b.one(request("OPTIONS", "sip:192.0.2.1", "Max-Forwards: 0"), overTLS); !strings.HasPrefix(s.text, "SIP/2.0 200 ") {
		t.Errorf("got %s", firstLine(s.text))
	}
}
