package transaction

import (
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// A response that has our branch and is none to the request that this was sent with reaches neither the transaction nor the
// client (RFC 3261 17.1.3): the right one that follows does.
func TestResponsesToOtherRequests(t *testing.T) {
	rename := func(_ *bed, c *proxy.Context) {
		if err := c.Replace(c.Msg.Header(c.Msg.Find(sipframe.HeaderCallID)).Value, []byte("renamed")); err != nil {
			t.Error(err)
		}
	}
	hide := func(b *bed, c *proxy.Context) {
		trail, from := c.AppendTrail(nil), *c.Src
		b.response = func(c *proxy.Context) {
			if err := c.RestoreTrail(trail, &from, nil); err != nil {
				t.Error(err)
			}
		}
		if err := c.HideTopology(&proxy.OwnContact{}); err != nil {
			t.Error(err)
		}
	}
	at := regexp.MustCompile(`;at=[a-z0-9]+`)
	for name, tt := range map[string]struct {
		method string
		change func(b *bed, c *proxy.Context) // of the request
		from   string                         // what of the right response is another's
		to     string
		silent bool // what tells of the request in our Via is gone
	}{
		"another method":                      {method: "INVITE", from: "INVITE\r\n", to: "BYE\r\n"},
		"another method, told by nothing":     {method: "INVITE", from: "INVITE\r\n", to: "BYE\r\n", silent: true},
		"an ACK":                              {method: "INVITE", from: "INVITE\r\n", to: "ACK\r\n"},
		"another method to OPTIONS":           {method: "OPTIONS", from: "OPTIONS\r\n", to: "MESSAGE\r\n"},
		"CANCEL to OPTIONS":                   {method: "OPTIONS", from: "OPTIONS\r\n", to: "CANCEL\r\n"},
		"another Call-ID":                     {method: "INVITE", from: "Call-ID: ", to: "Call-ID: x"},
		"another number":                      {method: "INVITE", from: "CSeq: ", to: "CSeq: 1"},
		"another From tag":                    {method: "INVITE", from: "From: <sip:alice@example.com>;tag=", to: "From: <sip:alice@example.com>;tag=x"},
		"another client":                      {method: "INVITE", from: "branch=z9hG4bK1", to: "branch=z9hG4bK2"},
		"another client of a changed header":  {method: "INVITE", change: rename, from: "branch=z9hG4bK1", to: "branch=z9hG4bK2"},
		"another method, of a changed header": {method: "OPTIONS", change: rename, from: "OPTIONS\r\n", to: "MESSAGE\r\n"},
		"another method to a hidden request":  {method: "OPTIONS", change: hide, from: "OPTIONS\r\n", to: "MESSAGE\r\n"},
		"another Call-ID to a hidden one":     {method: "OPTIONS", change: hide, from: "Call-ID: ", to: "Call-ID: x"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.request = func(c *proxy.Context) {
				if tt.change != nil {
					tt.change(b, c)
				}
				b.relay(c)
			}
			sent := b.take(request(tt.method, bob, "1"), overUDP)
			right := answer(t, sent[len(sent)-1], "200 OK")
			wrong := strings.Replace(right, tt.from, tt.to, 1)
			if tt.silent {
				wrong = at.ReplaceAllString(wrong, "")
			}
			if wrong == right {
				t.Fatalf("%q is not in %q", tt.from, right)
			}
			b.wire.sent = nil
			if out := b.take(wrong, fromCallee); len(out) != 0 {
				t.Errorf("it went on: %v", out)
			}
			if n := b.layer.proxy.Count(proxy.ResponsesMismatched); n != 1 {
				t.Errorf("%d counted", n)
			}
			b.take(right, fromCallee)
			b.want("SIP/2.0 200 OK")
		})
	}
}
