package proxy

import (
	"net/netip"
	"slices"
	"testing"

	"sipreactor/reactor"
)

func TestSocketName(t *testing.T) {
	sockets := []*reactor.Socket{
		{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("127.0.0.1:5060")},
		{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:5061"), Tag: "trunk"},
		{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("10.0.0.1:5071"), Advertised: "edge.example", AdvertisedPort: 5061},
		{Proto: reactor.TCP, Addr: netip.MustParseAddrPort("[2001:db8::1]:5060")},
	}
	for text, want := range map[string]int{
		"udp:127.0.0.1:5060": 0, "udp:127.0.0.1": 0, "127.0.0.1:5061": 1, "TLS:127.0.0.1": 1, "trunk": 1, " Trunk ": 1,
		"tls:edge.example:5061": 2, "tls:edge.example:5071": 2, "tls:EDGE.example": 2, "10.0.0.1:5071": 2,
		"tcp:[2001:db8::1]:5060": 3, "tcp:[2001:db8::1]": 3, "udp:127.0.0.1:5070": -1, "tcp:127.0.0.1:5060": -1, "nobody": -1, "": -1,
	} {
		name := NewSocketName(text)
		for range 2 {
			if got := slices.Index(sockets, name.Find(slices.Values(sockets))); got != want {
				t.Errorf("%q is socket %d, want %d", text, got, want)
			}
		}
	}
}
