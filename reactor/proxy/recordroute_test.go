package proxy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor"
)

// RFC 3261 16.6 item 4, RFC 5658.
func TestRecordRoute(t *testing.T) {
	for _, tc := range []struct {
		name string
		uri  string
		src  *reactor.Source
		cfg  func(*Config)
		ask  func(c *Context)
		want []string
	}{
		{name: "TLS both ways", uri: target, src: overTLS, want: []string{"<sip:192.0.2.1:5061;transport=tls;lr>"}},
		{name: "TCP", uri: "sip:203.0.113.9;transport=tcp", src: overTCP, want: []string{"<sip:192.0.2.1;transport=tcp;lr>"}},
		{name: "UDP", uri: "sip:203.0.113.9", src: overUDP, want: []string{"<sip:192.0.2.1;lr>"}},
		{name: "TCP to TLS", uri: target, src: overTCP, want: []string{
			"<sip:192.0.2.1:5061;transport=tls;r2=on;lr>", "<sip:192.0.2.1;transport=tcp;r2=on;lr>"}},
		{name: "TLS to UDP", uri: "sip:203.0.113.9", src: overTLS, want: []string{
			"<sip:192.0.2.1;r2=on;lr>", "<sip:192.0.2.1:5061;transport=tls;r2=on;lr>"}},
		{name: "IPv4 to IPv6", uri: "sip:[2001:db8::9];transport=tls", src: overTLS, want: []string{
			"<sip:[2001:db8::1]:5061;transport=tls;r2=on;lr>", "<sip:192.0.2.1:5061;transport=tls;r2=on;lr>"}},
		{name: "sips", uri: "sips:bob@203.0.113.9", src: overTLS, want: []string{"<sips:192.0.2.1;lr>"}},
		{name: "sips by way of TCP", uri: "sips:bob@203.0.113.9", src: overTCP, want: []string{
			"<sips:192.0.2.1;r2=on;lr>", "<sip:192.0.2.1;transport=tcp;r2=on;lr>"}},
		{name: "to a sips next hop", uri: target, src: overTLS, ask: func(c *Context) {
			_ = c.RecordRoute(nil)
			_ = c.SetDestURI([]byte("sips:203.0.113.30"))
		}, want: []string{"<sips:192.0.2.1;lr>"}},
		{name: "single", uri: target, src: overTCP, cfg: func(c *Config) { c.SingleRecordRoute = true },
			want: []string{"<sip:192.0.2.1:5061;transport=tls;lr>"}},
		{name: "full lr and From tag", uri: target, src: overTLS, cfg: func(c *Config) { c.FullLR, c.FromTag = true, true },
			want: []string{"<sip:192.0.2.1:5061;transport=tls;lr=on;ftag=a1>"}},
		{name: "parameters", uri: target, src: overTCP, ask: func(c *Context) {
			_ = c.AddRRParam([]byte(";a=1"))
			_ = c.RecordRoute([]byte(";b=2"))
			_ = c.AddRRParam([]byte(";c"))
		}, want: []string{
			"<sip:192.0.2.1:5061;transport=tls;r2=on;lr;a=1;b=2;c>", "<sip:192.0.2.1;transport=tcp;r2=on;lr;a=1;b=2;c>"}},
		{name: "parameters only", uri: target, src: overTLS, ask: func(c *Context) { _ = c.AddRRParam([]byte(";a=1")) }},
		{name: "from a connection of ours", uri: target, src: fromUAS, want: []string{"<sip:192.0.2.1:5061;transport=tls;lr>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := tc.cfg
			if cfg == nil {
				cfg = func(*Config) {}
			}
			b := newBed(t, funcs{request: func(c *Context) {
				if tc.ask != nil {
					tc.ask(c)
				} else if err := c.RecordRoute(nil); err != nil {
					t.Error(err)
				}
				_ = c.Forward(nil)
			}}, cfg)
			s := b.one(request("INVITE", tc.uri), tc.src)
			if got := headers(t, s.text, "Record-Route"); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			s = b.one(request("INVITE", tc.uri, "+Record-Route: <sip:203.0.113.50;lr>"), tc.src)
			if got := headers(t, s.text, "Record-Route"); !slices.Equal(got, append(slices.Clone(tc.want), "<sip:203.0.113.50;lr>")) {
				t.Errorf("above another: %q", got)
			}
		})
	}
}

// Ours stands above the others also where those stand above the Via.
func TestRecordRouteAboveTheVia(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.RecordRoute(nil)
		_ = c.Forward(nil)
	}})
	const others = "Record-Route: <sip:203.0.113.50;lr>\r\n"
	line, rest, _ := strings.Cut(request("INVITE", target), "\r\n")
	s := b.one(line+"\r\n"+others+rest, overTLS)
	if got, want := headers(t, s.text, "Record-Route"), []string{"<sip:192.0.2.1:5061;transport=tls;lr>", "<sip:203.0.113.50;lr>"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What we wrote into Record-Route we recognise in Route, both ways.
func TestRecordRouteComesBack(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		if !c.LooseRoute() {
			_ = c.RecordRoute(nil)
		}
		_ = c.Forward(nil)
	}})
	s := b.one(request("INVITE", target), overTCP)
	rr := headers(t, s.text, "Record-Route")
	if len(rr) != 2 {
		t.Fatalf("Record-Routes %q", rr)
	}
	up := request("BYE", "sip:alice@198.51.100.7:5070;transport=tcp", "+Route: "+rr[0], "+Route: "+rr[1], inside)
	back := b.one(up, fromUAS)
	if got := headers(t, back.text, "Route"); len(got) != 0 || back.to.Socket != tcpSocket {
		t.Errorf("callee's BYE: Routes %q, sent from %+v", got, back.to.Socket)
	}
	down := request("BYE", target, "+Route: "+rr[1]+", "+rr[0], inside)
	forth := b.one(down, overTCP)
	if got := headers(t, forth.text, "Route"); len(got) != 0 || forth.to.Socket != tlsSocket {
		t.Errorf("caller's BYE: Routes %q, sent from %+v", got, forth.to.Socket)
	}
}

func TestAddRRParamErrors(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		for _, bad := range []string{"", ";", "a=1", ";a=1>\r\nX: y", ";a b", ";a=\"x\"", ";a=1,<sip:x>", ";x?y"} {
			if err := c.AddRRParam([]byte(bad)); !errors.Is(err, ErrURI) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if err := c.RecordRoute([]byte("x")); !errors.Is(err, ErrURI) {
			t.Error(err)
		}
		_ = c.Forward(nil)
	}})
	if got := headers(t, b.one(invite(), overTLS).text, "Record-Route"); len(got) != 0 {
		t.Errorf("Record-Route %q", got)
	}
}
