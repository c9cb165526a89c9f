package dialog

import (
	"net/netip"
	"testing"

	"sipreactor/reactor"
	core "sipreactor/reactor/dialog"
)

// TestOwnContact: what our own requests say of us where the topology is hidden.
func TestOwnContact(t *testing.T) {
	m, d := &Module{param: "did"}, &core.Dialog{ID: core.ID{Number: 0x1a, Check: 0x2b}}
	for _, x := range []struct {
		socket *reactor.Socket
		want   string
	}{
		{nil, ""},
		{&reactor.Socket{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("0.0.0.0:5060")}, ""},
		{&reactor.Socket{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")}, "sip:192.0.2.1:5060;did=" + d.ID.String()},
		{&reactor.Socket{Proto: reactor.TCP, Addr: netip.MustParseAddrPort("[2001:db8::1]:5060")}, "sip:[2001:db8::1]:5060;transport=tcp;did=" + d.ID.String()},
		{&reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("0.0.0.0:5061"), Advertised: "edge.example.org", AdvertisedPort: 443},
			"sip:edge.example.org:443;transport=tls;did=" + d.ID.String()},
	} {
		if got := m.ownContact(d, &core.Leg{Socket: x.socket}); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
}
