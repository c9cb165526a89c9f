package proxy

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Our Route as we write it, and the pair of a protocol change.
const (
	ownTLS = "<sip:192.0.2.1:5061;transport=tls;lr>"
	outTCP = "<sip:192.0.2.1;transport=tcp;r2=on;lr>"
	inTLS  = "<sip:192.0.2.1:5061;transport=tls;r2=on;lr>"
	next   = "<sip:203.0.113.20;transport=tls;lr>"
	next2  = "<sip:203.0.113.21;transport=tls;lr>"
	strict = "<sip:203.0.113.22;transport=tls>"
	target = "sip:bob@203.0.113.9;transport=tls"
	inside = "To: <sip:bob@example.com>;tag=b1"
)

// RFC 3261 16.4, 16.6 items 6 and 7, 16.12.1; RFC 5658.
func TestLooseRoute(t *testing.T) {
	for _, tc := range []struct {
		name   string
		uri    string
		routes []string // one a header
		tag    bool
		driven bool
		// what leaves
		outURI    string
		outRoutes []string
		to        string
		socket    *reactor.Socket
	}{
		{name: "no Route", uri: target, outURI: target, to: "203.0.113.9:5061"},
		{name: "ours alone, in a dialog", uri: target, routes: []string{ownTLS}, tag: true, driven: true, outURI: target, to: "203.0.113.9:5061"},
		{name: "ours alone, preloaded", uri: target, routes: []string{ownTLS}, outURI: target, to: "203.0.113.9:5061"},
		{name: "ours and the next", uri: target, routes: []string{ownTLS, next}, driven: true, outURI: target, outRoutes: []string{next}, to: "203.0.113.20:5061"},
		{name: "in one header", uri: target, routes: []string{ownTLS + " , " + next + "," + next2}, driven: true, outURI: target,
			outRoutes: []string{next + "," + next2}, to: "203.0.113.20:5061"},
		{name: "not ours", uri: target, routes: []string{next, ownTLS}, driven: true, outURI: target, outRoutes: []string{next, ownTLS}, to: "203.0.113.20:5061"},
		{name: "only the topmost is ours to remove", uri: target, routes: []string{ownTLS, ownTLS, next}, driven: true, outURI: target,
			outRoutes: []string{ownTLS, next}, to: "192.0.2.1:5061"},
		{name: "pair", uri: target, routes: []string{inTLS, outTCP}, tag: true, driven: true, outURI: target, to: "203.0.113.9:5061"},
		{name: "pair in one header", uri: target, routes: []string{inTLS + "," + outTCP + ", " + next}, tag: true, driven: true, outURI: target,
			outRoutes: []string{next}, to: "203.0.113.20:5061"},
		{name: "pair chooses the listener", uri: "sip:bob@203.0.113.9;transport=tcp", routes: []string{inTLS, outTCP}, tag: true, driven: true,
			outURI: "sip:bob@203.0.113.9;transport=tcp", to: "203.0.113.9:5060", socket: tcpSocket},
		{name: "half a pair", uri: target, routes: []string{inTLS, next}, tag: true, driven: true, outURI: target, outRoutes: []string{next}, to: "203.0.113.20:5061"},
		{name: "half a pair and ours", uri: target, routes: []string{inTLS, ownTLS, next}, tag: true, driven: true, outURI: target,
			outRoutes: []string{ownTLS, next}, to: "192.0.2.1:5061"},
		{name: "the next is strict", uri: target, routes: []string{ownTLS, strict, next}, tag: true, driven: true,
			outURI: "sip:203.0.113.22;transport=tls", outRoutes: []string{next, "<" + target + ">"}, to: "203.0.113.22:5061"},
		{name: "strict in the middle of a header", uri: target, routes: []string{ownTLS + "," + strict + "," + next}, tag: true, driven: true,
			outURI: "sip:203.0.113.22;transport=tls", outRoutes: []string{next, "<" + target + ">"}, to: "203.0.113.22:5061"},
		{name: "the last is strict", uri: target, routes: []string{ownTLS, strict}, tag: true, driven: true,
			outURI: "sip:203.0.113.22;transport=tls", outRoutes: []string{"<" + target + ">"}, to: "203.0.113.22:5061"},
		{name: "from a strict router", uri: "sip:192.0.2.1:5061;transport=tls;lr", routes: []string{next, "<" + target + ">"}, tag: true, driven: true,
			outURI: target, outRoutes: []string{next}, to: "203.0.113.20:5061"},
		{name: "from a strict router, to the target", uri: "sip:192.0.2.1:5061;transport=tls;lr", routes: []string{"<" + target + ">"}, tag: true, driven: true,
			outURI: target, to: "203.0.113.9:5061"},
		{name: "from a strict router in one header", uri: "sip:192.0.2.1:5061;transport=tls;lr", routes: []string{next + "," + next2 + ", <" + target + ">"},
			tag: true, driven: true, outURI: target, outRoutes: []string{next + "," + next2}, to: "203.0.113.20:5061"},
		{name: "from a strict router, pair", uri: "sip:192.0.2.1:5061;transport=tls;r2=on;lr",
			routes: []string{outTCP, "<sip:bob@203.0.113.9;transport=tcp>"}, tag: true, driven: true,
			outURI: "sip:bob@203.0.113.9;transport=tcp", to: "203.0.113.9:5060", socket: tcpSocket},
		{name: "a Request-URI of ours that is no Record-Route", uri: "sip:bob@192.0.2.1:5061;transport=tls;lr", routes: []string{next}, driven: true,
			outURI: "sip:bob@192.0.2.1:5061;transport=tls;lr", outRoutes: []string{next}, to: "203.0.113.20:5061"},
		{name: "maddr of ours", uri: "sip:bob@203.0.113.9:5061;maddr=192.0.2.1;transport=tls;user=phone", outURI: "sip:bob@203.0.113.9;user=phone",
			to: "203.0.113.9:5060"},
		{name: "maddr of ours at another port", uri: "sip:bob@203.0.113.9:5099;maddr=192.0.2.1;transport=tls", routes: []string{next}, driven: true,
			outURI: "sip:bob@203.0.113.9:5099;maddr=192.0.2.1;transport=tls", outRoutes: []string{next}, to: "203.0.113.20:5061"},
		{name: "maddr of ours at another transport", uri: "sip:bob@203.0.113.9:5061;maddr=192.0.2.1;transport=tcp", routes: []string{next}, driven: true,
			outURI: "sip:bob@203.0.113.9:5061;maddr=192.0.2.1;transport=tcp", outRoutes: []string{next}, to: "203.0.113.20:5061"},
		{name: "maddr of another", uri: "sip:bob@example.com;maddr=203.0.113.9;transport=tls", outURI: "sip:bob@example.com;maddr=203.0.113.9;transport=tls", to: "203.0.113.9:5061"},
	} {
		for _, how := range []string{"by LooseRoute", "by Forward", "after a destination that came to nothing"} {
			t.Run(tc.name+", "+how, func(t *testing.T) {
				b := newBed(t, funcs{request: func(c *Context) {
					switch how {
					case "after a destination that came to nothing":
						if err := errors.Join(c.SetDestURI([]byte("sip:203.0.113.30;transport=sctp")), c.Forward(nil)); err == nil {
							t.Error("it went")
						}
						_ = c.SetDestURI(nil)
					case "by LooseRoute":
						if got := c.LooseRoute(); got != tc.driven {
							t.Errorf("LooseRoute %v, want %v", got, tc.driven)
						}
						if c.LooseRoute() != tc.driven {
							t.Error("a second call tells something else")
						}
					}
					if err := c.Forward(nil); err != nil {
						t.Error(err)
					}
				}})
				var change []string
				for _, r := range tc.routes {
					change = append(change, "+Route: "+r)
				}
				if tc.tag {
					change = append(change, inside)
				}
				s := b.one(request("BYE", tc.uri, change...), overTLS)
				if got, want := firstLine(s.text), "BYE "+tc.outURI+" SIP/2.0"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if got := headers(t, s.text, "Route"); !slices.Equal(got, tc.outRoutes) {
					t.Errorf("Routes %q, want %q", got, tc.outRoutes)
				}
				if s.to.Addr.String() != tc.to {
					t.Errorf("sent to %v, want %s", s.to.Addr, tc.to)
				}
				if tc.socket != nil && s.to.Socket != tc.socket {
					t.Errorf("sent from %+v", s.to.Socket)
				}
			})
		}
	}
}

// A destination of the Router's stays; our own Route goes all the same.
func TestForwardKeepsDestination(t *testing.T) {
	for _, f := range []func(c *Context){
		func(c *Context) { _ = c.Forward([]byte("tls:203.0.113.30")) },
		func(c *Context) { _ = c.SetDestURI([]byte("sip:203.0.113.30;transport=tls")); _ = c.Forward(nil) },
	} {
		b := newBed(t, funcs{request: f})
		s := b.one(request("BYE", target, "+Route: "+ownTLS+","+strict), overTLS)
		if s.to.Addr.String() != "203.0.113.30:5061" || firstLine(s.text) != "BYE "+target+" SIP/2.0" {
			t.Errorf("sent %s to %v", firstLine(s.text), s.to.Addr)
		}
		if got := headers(t, s.text, "Route"); !slices.Equal(got, []string{strict}) {
			t.Errorf("Routes %q", got)
		}
	}
}

func TestRemoveRouteAndLooseRoute(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		c.LooseRoute()
		c.RemoveHeader([]byte("Route"))
		_ = c.Forward(nil)
	}})
	s := b.one(request("BYE", target, "+Route: "+ownTLS+","+next), overTLS)
	if got := headers(t, s.text, "Route"); len(got) != 0 {
		t.Errorf("Routes %q", got)
	}
}

func TestRouteParams(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		re := regexp.MustCompile("nat=yes")
		if c.CheckRouteParam(re) || c.RouteParams() != nil {
			t.Error("parameters before LooseRoute")
		}
		c.LooseRoute()
		if got := string(c.RouteParams()); got != ";transport=tls;lr;nat=yes" {
			t.Errorf("parameters %q", got)
		}
		if !c.CheckRouteParam(re) || c.CheckRouteParam(regexp.MustCompile("nat=no")) {
			t.Error("CheckRouteParam")
		}
	}})
	b.pass(request("BYE", target, "+Route: <sip:192.0.2.1:5061;transport=tls;lr;nat=yes>", inside), overTLS)
	b = newBed(t, funcs{request: func(c *Context) {
		c.LooseRoute()
		if c.RouteParams() != nil {
			t.Errorf("parameters %q", c.RouteParams())
		}
	}})
	b.pass(request("BYE", target, "+Route: <sip:192.0.2.1:5061>", inside), overTLS)
	b.pass(request("BYE", target, "+Route: "+next, inside), overTLS)
}

// TestSetRoutes puts other Routes in the place of those that came.
func TestSetRoutes(t *testing.T) {
	const came = "Route: <sip:192.0.2.1:5061;transport=tls;lr>, <sip:198.51.100.1;lr>\r\nRoute: <sip:198.51.100.2;lr>\r\n"
	for _, c := range []struct{ routes, want, to string }{
		{"<sip:203.0.113.1;transport=tls;lr>, <sip:203.0.113.2;lr>", "<sip:203.0.113.1;transport=tls;lr>, <sip:203.0.113.2;lr>", "203.0.113.1:5061"},
		{"", "", "203.0.113.9:5061"},
	} {
		b := newBed(t, funcs{request: func(x *Context) {
			x.LooseRoute()
			if err := x.SetRoutes([]byte(c.routes)); err != nil {
				t.Error(err)
			}
			_ = x.SetRequestURI([]byte("sip:bob@203.0.113.9:5061;transport=tls"))
			if err := x.Forward(nil); err != nil {
				t.Error(err)
			}
		}})
		text := strings.Replace(invite(), "Max-Forwards:", came+"Max-Forwards:", 1)
		out := b.one(text, overTLS)
		m := parse(t, out.text)
		var got []string
		it := m.Values(sipframe.HeaderRoute)
		for v, ok := it.Next(); ok; v, ok = it.Next() {
			got = append(got, string(m.Bytes(v)))
		}
		if strings.Join(got, ", ") != c.want || out.to.Addr.String() != c.to {
			t.Errorf("routes %q to %v, want %q to %s\n%s", got, out.to.Addr, c.want, c.to, out.text)
		}
	}
}

// A destination that is taken back leaves what the Routes say: a next hop, a strict router's URI, the socket of a pair.
func TestResetDestination(t *testing.T) {
	for _, c := range []struct{ uri, route, edit, first, to string }{
		{"sip:bob@203.0.113.9", "Route: <sip:192.0.2.1;transport=tls;lr>", "", "INVITE sip:bob@203.0.113.9 SIP/2.0", "203.0.113.9:5060"},
		{"sip:bob@203.0.113.9", "Route: <sip:192.0.2.1;transport=tls;lr>, <sip:203.0.113.77;lr>", "", "INVITE sip:bob@203.0.113.9 SIP/2.0", "203.0.113.77:5060"},
		{"sip:bob@203.0.113.9", "Route: <sip:203.0.113.77;lr>", "remove", "INVITE sip:bob@203.0.113.9 SIP/2.0", "203.0.113.9:5060"},
		{"sip:bob@203.0.113.9", "Route: <sip:203.0.113.77;lr>", "set", "INVITE sip:bob@203.0.113.9 SIP/2.0", "203.0.113.77:5060"},
		{"sip:bob@203.0.113.9", "Route: <sip:203.0.113.77>", "", "INVITE sip:203.0.113.77 SIP/2.0", "203.0.113.77:5060"},
	} {
		b := newBed(t, funcs{request: func(c2 *Context) {
			if c.edit == "set" {
				_ = c2.SetDestURI([]byte("sip:203.0.113.5"))
			}
			c2.LooseRoute()
			if c.edit == "remove" {
				c2.RemoveHeader([]byte("Route"))
			}
			var saved Changes
			c2.Save(&saved)
			_ = c2.SetRequestURI([]byte("sip:elsewhere@203.0.113.6"))
			c2.Restore(&saved)
			c2.ResetDestination()
			if c2.Branch(0).DestURI() != nil {
				t.Errorf("%+v: there is a destination URI", c)
			}
			if err := c2.Forward(nil); err != nil {
				t.Errorf("%+v: %v", c, err)
			}
		}})
		s := b.one(request("INVITE", c.uri, c.route), overTLS)
		if firstLine(s.text) != c.first || s.to.Addr.String() != c.to {
			t.Errorf("%+v: %s to %s", c, firstLine(s.text), s.to.Addr)
		}
	}
}

// The listener that the Router has chosen is the one, whatever a Route of ours names.
func TestRouteLeavesTheChosenListener(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		c.SetSendSocket(udpSocket)
		if !c.LooseRoute() {
			t.Error("the Route does not drive it")
		}
		_ = c.Forward(nil)
	}})
	text := request("BYE", "sip:bob@203.0.113.9", inside, "+Route: "+inTLS, "+Route: "+outTCP)
	if s := b.one(text, overTLS); s.to.Socket != udpSocket {
		t.Errorf("it leaves by %+v", s.to.Socket)
	}
}
