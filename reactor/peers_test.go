package reactor

import (
	"net/netip"
	"testing"
)

func peerConn(addr string, out bool, s *Socket) *conn {
	return &conn{phase: established, src: Source{Proto: TLS, Remote: netip.MustParseAddrPort(addr), Outbound: out, Socket: s}}
}

func TestPeersFind(t *testing.T) {
	var p peers
	a, b := &Socket{index: 0}, &Socket{index: 1}
	addr := "192.0.2.1:5061"
	key := keyOf(TLS, netip.MustParseAddrPort(addr))
	old, young, other := peerConn(addr, true, a), peerConn(addr, true, b), peerConn("192.0.2.2:5061", true, a)
	old.self.leaf[0], young.self.leaf[0] = 1, 2
	accepted := peerConn(addr, false, a)
	for _, c := range []*conn{accepted, old, young, other} {
		p.add(c)
	}
	find := func(m match) *conn { c, _ := p.find(key, &m, nil); return c }
	if got := find(match{}); got != young {
		t.Error("the newest comes first")
	}
	if got := find(match{socket: a}); got != old {
		t.Error("only a connection of the socket matches")
	}
	if got := find(match{checkCert: true, self: self{leaf: [32]byte{1}}}); got != old {
		t.Error("a connection of ours matches by its certificate")
	}
	if got := find(match{checkCert: true, self: self{leaf: [32]byte{3}}}); got != accepted {
		t.Error("an accepted connection always matches")
	}
	old.condemn(because(Shutdown, ""))
	if got := find(match{checkCert: true, self: self{leaf: [32]byte{1}}}); got != accepted {
		t.Error("a connection that is about to end was given")
	}
	if c, _ := p.find(keyOf(TCP, netip.MustParseAddrPort(addr)), &match{}, nil); c != nil {
		t.Error("another protocol was given")
	}
	for _, c := range []*conn{old, accepted, other, young} {
		p.remove(c)
		p.remove(c)
	}
	if p.size() != 0 {
		t.Errorf("%d end points are left", p.size())
	}
}

func TestPeersMakeOneForMany(t *testing.T) {
	var p peers
	key := keyOf(TLS, netip.MustParseAddrPort("192.0.2.1:5061"))
	begun := 0
	begin := func() *conn { begun++; return peerConn("192.0.2.1:5061", true, nil) }
	first, made := p.find(key, &match{}, begin)
	if !made {
		t.Fatal("nothing was made")
	}
	for range 5 {
		if c, made := p.find(key, &match{}, begin); made || c != first {
			t.Fatal("a second connection was made")
		}
	}
	if c, _ := p.find(key, &match{}, nil); c != first || begun != 1 {
		t.Errorf("begun %d times", begun)
	}
	p.remove(first)
	if c, made := p.find(key, &match{}, func() *conn { return nil }); c != nil || made {
		t.Error("a connection that could not be made was given")
	}
}

// A connection stands for other ports of its peer's address, as long as it
// lives, and takes nobody else's.
func TestAliases(t *testing.T) {
	var p peers
	a, b := peerConn("192.0.2.1:40001", false, nil), peerConn("192.0.2.1:40002", false, nil)
	p.add(a)
	p.add(b)
	at := func(port uint16) *conn {
		c, _ := p.find(keyOf(TLS, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)), &match{}, nil)
		return c
	}
	if err := p.stand(a, 5061); err != nil || at(5061) != a {
		t.Fatalf("the alias: %v", err)
	}
	if err := p.stand(a, 5061); err != nil {
		t.Errorf("once more: %v", err)
	}
	if err := p.stand(b, 5061); err != errTaken || at(5061) != a {
		t.Errorf("another's alias: %v", err)
	}
	if err := p.stand(b, 40001); err != errTaken || at(40001) != a {
		t.Errorf("another's own port: %v", err)
	}
	if err := p.stand(a, 40001); err != nil {
		t.Errorf("its own port: %v", err)
	}
	for port := uint16(1); port < maxAliases; port++ {
		if err := p.stand(a, port); err != nil {
			t.Errorf("alias %d: %v", port, err)
		}
	}
	if err := p.stand(a, 9999); err != errAliases {
		t.Errorf("one too many: %v", err)
	}
	p.remove(a)
	if at(5061) != nil || len(p.alias) != 0 {
		t.Error("an alias outlives its connection")
	}
	if err := p.stand(a, 5061); err != errGone {
		t.Errorf("of a connection that is gone: %v", err)
	}
	if err := p.stand(b, 5061); err != nil {
		t.Errorf("the free address: %v", err)
	}
}
