package reactor

import (
	"net/netip"
	"testing"

	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/tlsstate"
)

func peerConn(addr string, out bool, s *Socket) *conn {
	c := &conn{src: Source{Proto: TLS, Remote: netip.MustParseAddrPort(addr), Outbound: out, Socket: s}}
	c.life.Begin(phase.Established)
	return c
}

func TestPeersFind(t *testing.T) {
	var p index
	a, b := &Socket{index: 0}, &Socket{index: 1}
	addr := "192.0.2.1:5061"
	key := endpoint.Of(TLS, netip.MustParseAddrPort(addr))
	old, young, other := peerConn(addr, true, a), peerConn(addr, true, b), peerConn("192.0.2.2:5061", true, a)
	old.proof.Self.Leaf[0], young.proof.Self.Leaf[0] = 1, 2
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
	if got := find(match{Want: reuse.Want{CheckCert: true, Self: tlsstate.ClientIdentity{Leaf: [32]byte{1}}}}); got != old {
		t.Error("a connection of ours matches by its certificate")
	}
	if got := find(match{Want: reuse.Want{CheckCert: true, Self: tlsstate.ClientIdentity{Leaf: [32]byte{3}}}}); got != accepted {
		t.Error("an accepted connection always matches")
	}
	old.noteClose(reason.Because(Shutdown, ""))
	if got := find(match{Want: reuse.Want{CheckCert: true, Self: tlsstate.ClientIdentity{Leaf: [32]byte{1}}}}); got != accepted {
		t.Error("a connection that is about to end was given")
	}
	if c, _ := p.find(endpoint.Of(TCP, netip.MustParseAddrPort(addr)), &match{}, nil); c != nil {
		t.Error("another protocol was given")
	}
	for _, c := range []*conn{old, accepted, other, young} {
		p.Leave(c)
		p.Leave(c)
	}
	if p.Len() != 0 {
		t.Errorf("%d end points are left", p.Len())
	}
}

func TestPeersMakeOneForMany(t *testing.T) {
	var p index
	key := endpoint.Of(TLS, netip.MustParseAddrPort("192.0.2.1:5061"))
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
	p.Leave(first)
	if c, made := p.find(key, &match{}, func() *conn { return nil }); c != nil || made {
		t.Error("a connection that could not be made was given")
	}
}
