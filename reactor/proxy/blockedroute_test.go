package proxy

import (
	"errors"
	"strings"
	"testing"
)

const ownRoute = "sip:192.0.2.1:5061;transport=tls;lr"

// blocking are Routes that cannot be followed, one a header.
var blocking = []struct {
	name, uri string
	routes    []string
}{
	{"not closed", target, []string{"<" + ownRoute}},
	{"port 0", target, []string{ownTLS + ", <sip:127.0.0.1:0;lr>"}},
	{"port 99999", target, []string{ownTLS + ", <sip:127.0.0.1:99999;lr>"}},
	{"port 0 of a strict router", target, []string{ownTLS + ", <sip:127.0.0.1:0>"}},
	{"no host", target, []string{"<sip:>"}},
	{"nowhere", target, []string{ownTLS + ", <sip:0.0.0.0;lr>"}},
	{"tel", target, []string{ownTLS + ", <tel:123>"}},
	{"tel with lr", target, []string{ownTLS + ", <tel:123;lr>"}},
	{"star", target, []string{"*"}},
	{"empty brackets", target, []string{ownTLS + ", <>"}},
	{"bytes of no host", target, []string{ownTLS + ", <sip:203.0.113.20\xff;lr>"}},
	{"bytes of no URI on top", target, []string{"<sip:192.0.2.1:5061;transport=tls ;lr>", next}},
	{"quote not closed", target, []string{ownTLS + `, "next <sip:203.0.113.20;lr>`}},
	{"quote not closed on top", target, []string{`"us ` + ownTLS + ", " + next, next2}},
	{"second header", target, []string{ownTLS, "<sip:203.0.113.20;lr", next}},
	{"behind our pair", target, []string{inTLS, outTCP, "<sip:203.0.113.20;lr"}},
	{"second of our pair", target, []string{inTLS, "<sip:192.0.2.1;transport=tcp;r2=on;lr", next}},
	{"target of a strict router", ownRoute, []string{next, "<sip:bob@203.0.113.9"}},
	{"transport that nobody speaks", target, []string{"<sip:203.0.113.20;transport=sctp;lr>"}},
	{"transport that is no word", target, []string{ownTLS, "<sip:203.0.113.20;transport=xyz;lr>"}},
	{"sips by UDP", target, []string{"<sips:203.0.113.20;transport=udp;lr>"}},
	{"port of the target of a strict router", ownRoute, []string{next, "<sip:bob@203.0.113.9:0>"}},
}

func withRoutes(method, uri string, routes []string, tag bool) string {
	var change []string
	for _, r := range routes {
		change = append(change, "+Route: "+r)
	}
	if tag {
		change = append(change, inside)
	}
	return request(method, uri, change...)
}

// A request is not sent past a Route: where that cannot be followed the answer is 400, in a dialog and outside. An ACK ends here.
func TestBlockedRoute(t *testing.T) {
	for _, tc := range blocking {
		for _, loose := range []bool{true, false} {
			b := newBed(t, funcs{request: func(c *Context) {
				_ = c.SetDestURI([]byte("sip:203.0.113.30"))
				if loose && !c.LooseRoute() {
					t.Errorf("%s: not driven by the Route", tc.name)
				}
				if !loose {
					_ = c.SetDestURI(nil)
				}
				if err := c.Forward(nil); !errors.Is(err, ErrRoute) {
					t.Errorf("%s: error %v", tc.name, err)
				}
			}})
			for _, tag := range []bool{true, false} {
				if s := b.one(withRoutes("BYE", tc.uri, tc.routes, tag), overTLS); firstLine(s.text) != "SIP/2.0 400 Bad Route" {
					t.Errorf("%s, loose_route %v, tag %v: sent %s to %v", tc.name, loose, tag, firstLine(s.text), s.to.Addr)
				}
			}
			if out := b.pass(withRoutes("ACK", tc.uri, tc.routes, true), overTLS); len(out) != 0 {
				t.Errorf("%s: an ACK led to %s", tc.name, firstLine(out[0].text))
			}
		}
	}
}

// A destination of the Router's counts; and who takes the Route out may send the request by its Request-URI, until the
// changes are taken back.
func TestBlockedRouteAndRouter(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(c *Context)
		to   string // empty: 400
	}{
		{"destination", func(c *Context) { _ = c.SetDestURI([]byte("sip:203.0.113.30;transport=tls")) }, "203.0.113.30:5061"},
		{"destination taken back", func(c *Context) { _ = c.SetDestURI([]byte("sip:203.0.113.30")); c.ResetDestination() }, ""},
		{"Request-URI", func(c *Context) { _ = c.SetRequestURI([]byte("sip:203.0.113.31")) }, ""},
		{"Route taken out", func(c *Context) { c.RemoveHeader([]byte("Route")) }, "203.0.113.9:5061"},
		{"other Routes", func(c *Context) { _ = c.SetRoutes([]byte(next)) }, "203.0.113.20:5061"},
		{"no Routes", func(c *Context) { _ = c.SetRoutes(nil) }, "203.0.113.9:5061"},
		{"saved and restored", func(c *Context) {
			var saved Changes
			c.Save(&saved)
			c.RemoveHeader([]byte("Route"))
			c.Restore(&saved)
		}, ""},
	} {
		b := newBed(t, funcs{request: func(c *Context) {
			c.LooseRoute()
			tc.do(c)
			_ = c.Forward(nil)
		}})
		s := b.one(withRoutes("BYE", target, []string{ownTLS + ", <sip:127.0.0.1:0;lr>"}, true), overTLS)
		if tc.to == "" && firstLine(s.text) != "SIP/2.0 400 Bad Route" || tc.to != "" && s.to.Addr.String() != tc.to {
			t.Errorf("%s: sent %s to %v", tc.name, firstLine(s.text), s.to.Addr)
		}
	}
}

// A control character has the message refused before it is routed.
func TestControlCharacterInRoute(t *testing.T) {
	for _, route := range []string{"<sip:192.0.2.1:5061;transport=tls\x01;lr>", ownTLS + ", <sip:203.0.113.20\x7f;lr>", "\x02"} {
		b := newBed(t, funcs{request: func(*Context) { t.Error("routed") }})
		if s := b.one(withRoutes("BYE", target, []string{route}, true), overTLS); !strings.HasPrefix(s.text, "SIP/2.0 400 ") {
			t.Errorf("%q: sent %s to %v", route, firstLine(s.text), s.to.Addr)
		}
	}
}

// Empty values are none: the Routes around them count.
func TestEmptyRoute(t *testing.T) {
	for _, tc := range []struct {
		routes []string
		to     string
	}{
		{[]string{""}, "203.0.113.9:5061"},
		{[]string{ownTLS, ""}, "203.0.113.9:5061"},
		{[]string{"", ownTLS + ", ," + next}, "203.0.113.20:5061"},
	} {
		b := newBed(t, funcs{request: func(c *Context) { c.LooseRoute(); _ = c.Forward(nil) }})
		s := b.one(withRoutes("BYE", target, tc.routes, true), overTLS)
		if !strings.HasPrefix(s.text, "BYE "+target) || s.to.Addr.String() != tc.to {
			t.Errorf("%q: sent %s to %v", tc.routes, firstLine(s.text), s.to.Addr)
		}
	}
}
