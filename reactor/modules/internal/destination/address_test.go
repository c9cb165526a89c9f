package destination

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"sipreactor/reactor"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		uri, full, host string
		proto           reactor.Proto
		port, end       uint16
		literal         string
	}{
		{"sip:10.0.0.1", "sip:10.0.0.1", "10.0.0.1", 0, 0, 5060, "10.0.0.1:5060"},
		{"10.0.0.1:5080", "sip:10.0.0.1:5080", "10.0.0.1", 0, 5080, 5080, "10.0.0.1:5080"},
		{"sip:gw@GW.example.com:5070;transport=tcp", "sip:gw@GW.example.com:5070;transport=tcp", "gw.example.com", reactor.TCP, 5070, 5070, ""},
		{"sips:[2001:db8::1]", "sips:[2001:db8::1]", "2001:db8::1", reactor.TLS, 0, 5061, "[2001:db8::1]:5061"},
		{"sip:a.example;transport=TLS;maddr=192.0.2.9", "sip:a.example;transport=TLS;maddr=192.0.2.9", "192.0.2.9", reactor.TLS, 0, 5061, "192.0.2.9:5061"},
		{"gw.example.com", "sip:gw.example.com", "gw.example.com", 0, 0, 5060, ""},
	} {
		a, err := ParseAddress(c.uri)
		if err != nil {
			t.Errorf("%s: %v", c.uri, err)
			continue
		}
		literal := ""
		if len(a.Addrs) > 0 {
			literal = a.Addrs[0].String()
		}
		if a.URI != c.full || a.Host != c.host || a.Proto != c.proto || a.Port != c.port || a.EndPort() != c.end || literal != c.literal {
			t.Errorf("%s: %+v", c.uri, a)
		}
	}
	for _, bad := range []string{"", "sip:", "tel:+49", "sip:a.example;transport=sctp", "sip:a:99999", "http://a"} {
		if a, err := ParseAddress(bad); err == nil {
			t.Errorf("%q is %+v", bad, a)
		}
	}
}

func TestResolve(t *testing.T) {
	a, err := ParseAddress("sip:gw.example;transport=tls")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := a.Resolve(context.Background(), func(context.Context, reactor.Proto, string, uint16) ([]netip.AddrPort, error) {
		return nil, broken
	}); !errors.Is(err, broken) {
		t.Fatalf("error %v", err)
	}
	lookup := func(_ context.Context, p reactor.Proto, host string, port uint16) ([]netip.AddrPort, error) {
		if p != reactor.TLS || host != "gw.example" || port != 0 {
			t.Errorf("asked for %v %s %d", p, host, port)
		}
		return []netip.AddrPort{netip.MustParseAddrPort("[::ffff:10.0.0.1]:5061"), netip.MustParseAddrPort("10.0.0.2:5061")}, nil
	}
	if err := a.Resolve(context.Background(), lookup); err != nil {
		t.Fatal(err)
	}
	one, two := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	if !a.Is(one, 5061) || !a.Is(two, 0) || a.Is(two, 5060) || a.Is(netip.MustParseAddr("10.0.0.3"), 0) {
		t.Errorf("it is at %v", a.Addrs)
	}
}
