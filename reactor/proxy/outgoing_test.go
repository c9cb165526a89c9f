package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

// The sockets of an edge in two networks, and the routes between them.
var (
	outer = &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5061")}
	inner = &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("10.0.0.1:5061")}
	any4  = &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("0.0.0.0:5061")}
)

func twoNetworks(to netip.Addr) (netip.Addr, error) {
	switch {
	case netip.MustParsePrefix("10.0.0.0/8").Contains(to):
		return inner.Addr.Addr(), nil
	case to.Is4():
		return outer.Addr.Addr(), nil
	default:
		return netip.Addr{}, errors.New("no route")
	}
}

func multiHomed(c *Config) { c.MultiHomed, c.SourceOf = true, twoNetworks }

// A request leaves from the socket on the route to its next hop, with that
// address in Via, and Record-Route names both sides.
func TestMultiHomed(t *testing.T) {
	for _, tc := range []struct {
		name    string
		sockets []*reactor.Socket
		in      *reactor.Socket
		local   string
		uri     string
		change  func(*Config)
		choose  *reactor.Socket
		via     string
		rr      []string
	}{
		{"to the inner network", []*reactor.Socket{outer, inner}, outer, "192.0.2.1", "sip:bob@10.0.0.9;transport=tls", multiHomed, nil,
			"10.0.0.1:5061", []string{"<sip:10.0.0.1:5061;transport=tls;r2=on;lr>", "<sip:192.0.2.1:5061;transport=tls;r2=on;lr>"}},
		{"to the outer network", []*reactor.Socket{outer, inner}, inner, "10.0.0.1", "sip:bob@203.0.113.9;transport=tls", multiHomed, nil,
			"192.0.2.1:5061", []string{"<sip:192.0.2.1:5061;transport=tls;r2=on;lr>", "<sip:10.0.0.1:5061;transport=tls;r2=on;lr>"}},
		{"within a network", []*reactor.Socket{outer, inner}, inner, "10.0.0.1", "sip:bob@10.0.0.9;transport=tls", multiHomed, nil,
			"10.0.0.1:5061", []string{"<sip:10.0.0.1:5061;transport=tls;lr>"}},
		{"off", []*reactor.Socket{outer, inner}, outer, "192.0.2.1", "sip:bob@10.0.0.9;transport=tls", func(*Config) {}, nil,
			"192.0.2.1:5061", []string{"<sip:192.0.2.1:5061;transport=tls;lr>"}},
		{"the Router's choice", []*reactor.Socket{outer, inner}, inner, "10.0.0.1", "sip:bob@10.0.0.9;transport=tls", multiHomed, outer,
			"192.0.2.1:5061", []string{"<sip:192.0.2.1:5061;transport=tls;r2=on;lr>", "<sip:10.0.0.1:5061;transport=tls;r2=on;lr>"}},
		{"no socket on the route", []*reactor.Socket{outer}, outer, "192.0.2.1", "sip:bob@10.0.0.9;transport=tls", multiHomed, nil,
			"192.0.2.1:5061", []string{"<sip:192.0.2.1:5061;transport=tls;lr>"}},
		{"one socket on all addresses", []*reactor.Socket{any4}, any4, "192.0.2.1", "sip:bob@10.0.0.9;transport=tls", multiHomed, nil,
			"10.0.0.1:5061", []string{"<sip:10.0.0.1:5061;transport=tls;r2=on;lr>", "<sip:192.0.2.1:5061;transport=tls;r2=on;lr>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, funcs{request: func(c *Context) {
				_ = c.RecordRoute(nil)
				c.SetSendSocket(tc.choose)
				_ = c.Forward(nil)
			}}, tc.change)
			b.proxy.SetSockets(tc.sockets)
			src := *overTLS
			src.Socket, src.Local = tc.in, netip.AddrPortFrom(netip.MustParseAddr(tc.local), 5061)
			s := b.one(request("INVITE", tc.uri), &src)
			if via := headers(t, s.text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/TLS "+tc.via+";") {
				t.Errorf("Via %q, want %s", via, tc.via)
			}
			if got := headers(t, s.text, "Record-Route"); !slices.Equal(got, tc.rr) {
				t.Errorf("Record-Route\n got %q\nwant %q", got, tc.rr)
			}
			if s.to.Socket == nil || s.to.Socket.Addr.Addr().String() != strings.TrimSuffix(tc.via, ":5061") && s.to.Socket != any4 {
				t.Errorf("sent from %v", s.to.Socket)
			}
		})
	}
}

// An answer of the kernel holds for a while, a missing route as well, and the
// table has a bound.
func TestSources(t *testing.T) {
	now := time.Unix(1000, 0)
	asked := 0
	s := sources{now: func() time.Time { return now }}
	ask := func(to netip.Addr) (netip.Addr, error) { asked++; return twoNetworks(to) }
	look := func(to, want string) {
		t.Helper()
		if got := s.of(netip.MustParseAddr(to), ask); got.String() != want {
			t.Errorf("%s: %v, want %s", to, got, want)
		}
	}
	look("10.0.0.9", "10.0.0.1")
	look("10.0.0.9", "10.0.0.1")
	look("2001:db8::9", "invalid IP")
	look("2001:db8::9", "invalid IP")
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
	now = now.Add(sourceLife)
	look("10.0.0.9", "10.0.0.1")
	if asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
	for i := range maxSources + 10 {
		s.of(netip.MustParseAddr(fmt.Sprintf("203.%d.%d.1", i/256, i%256)), ask)
	}
	if len(s.known) > maxSources {
		t.Errorf("%d entries", len(s.known))
	}
}

func TestRouteSource(t *testing.T) {
	for _, to := range []string{"127.0.0.1", "::ffff:127.0.0.9"} {
		got, err := routeSource(netip.MustParseAddr(to))
		if err != nil || got != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("%s: %v, %v", to, got, err)
		}
	}
	if got, err := routeSource(netip.MustParseAddr("::1")); err == nil && got != netip.IPv6Loopback() {
		t.Errorf("::1: %v", got)
	}
}
