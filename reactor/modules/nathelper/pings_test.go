package nathelper

import (
	"net/netip"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/usrloc"
)

// TestFlow: a contact is pinged over the connection that it came by, and nobody dials it when that has just ended.
func TestFlow(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling", "tm", "usrloc", "nathelper")+`
modparam("nathelper", "natping_interval", 5)
modparam("nathelper", "natping_tcp", 1)
modparam("nathelper", "sipping_from", "sip:ping@example.org")
route { exit; }
`, New, tm.New, usrloc.New, signaling.New)
	m := b.Config.Instance("nathelper").(*module)
	at := netip.MustParseAddrPort("192.0.2.9:5061")
	for _, x := range []ping{
		{uri: "sip:alice@192.0.2.9:5061;transport=tls", proto: reactor.TLS, addr: at, flow: 7},
		{uri: "sip:alice@192.0.2.9:5061;transport=tls", proto: reactor.TLS, addr: at},
	} {
		b.Sent = nil
		if _, err := m.pings.tm.Layer().Originate(b.Context, m.request(&x, nil)); err != nil || len(b.Sent) != 1 {
			t.Fatalf("%d pings, %v", len(b.Sent), err)
		}
		to := b.Sent[0].Target
		if to.Conn != x.flow || to.Addr.IsValid() != (x.flow == 0) {
			t.Errorf("a contact of the connection %d is pinged by connection %d, address %v", x.flow, to.Conn, to.Addr)
		}
	}
}
