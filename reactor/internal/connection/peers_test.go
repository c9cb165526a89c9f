package connection

import (
	"net/netip"
	"testing"

	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

func peerConn(addr string, out bool, s *message.Socket) *Conn {
	c := &Conn{Src: message.Source{Proto: transport.TLS, Remote: netip.MustParseAddrPort(addr), Outbound: out, Socket: s}}
	c.life.Begin(phase.Established)
	return c
}

func TestPeersFind(t *testing.T) {
	var p Index
	a, b := &message.Socket{Index: 0}, &message.Socket{Index: 1}
	addr := "192.0.2.1:5061"
	key := endpoint.Of(transport.TLS, netip.MustParseAddrPort(addr))
	old, young, other := peerConn(addr, true, a), peerConn(addr, true, b), peerConn("192.0.2.2:5061", true, a)
	old.proof.Self.Leaf[0], young.proof.Self.Leaf[0] = 1, 2
	accepted := peerConn(addr, false, a)
	for _, c := range []*Conn{accepted, old, young, other} {
		p.Add(c)
	}
	find := func(m Match) *Conn { c, _ := p.Find(key, &m, nil); return c }
	if got := find(Match{}); got != young {
		t.Error("the newest comes first")
	}
	if got := find(Match{Socket: a}); got != old {
		t.Error("only a connection of the socket matches")
	}
	if got := find(Match{Want: reuse.Want{CheckCert: true, Self: tlsstate.ClientIdentity{Leaf: [32]byte{1}}}}); got != old {
		t.Error("a connection of ours matches by its certificate")
	}
	if got := find(Match{Want: reuse.Want{CheckCert: true, Self: tlsstate.ClientIdentity{Leaf: [32]byte{3}}}}); got != accepted {
		t.Error("an accepted connection always matches")
	}
	old.NoteClose(reason.Because(reason.Shutdown, ""))
	if got := find(Match{Want: reuse.Want{CheckCert: true, Self: tlsstate.ClientIdentity{Leaf: [32]byte{1}}}}); got != accepted {
		t.Error("a connection that is about to end was given")
	}
	if c, _ := p.Find(endpoint.Of(transport.TCP, netip.MustParseAddrPort(addr)), &Match{}, nil); c != nil {
		t.Error("another protocol was given")
	}
	for _, c := range []*Conn{old, accepted, other, young} {
		p.Leave(c)
		p.Leave(c)
	}
	if p.Len() != 0 {
		t.Errorf("%d end points are left", p.Len())
	}
}

func TestPeersMakeOneForMany(t *testing.T) {
	var p Index
	key := endpoint.Of(transport.TLS, netip.MustParseAddrPort("192.0.2.1:5061"))
	begun := 0
	begin := func() *Conn { begun++; return peerConn("192.0.2.1:5061", true, nil) }
	first, made := p.Find(key, &Match{}, begin)
	if !made {
		t.Fatal("nothing was made")
	}
	for range 5 {
		if c, made := p.Find(key, &Match{}, begin); made || c != first {
			t.Fatal("a second connection was made")
		}
	}
	if c, _ := p.Find(key, &Match{}, nil); c != first || begun != 1 {
		t.Errorf("begun %d times", begun)
	}
	p.Leave(first)
	if c, made := p.Find(key, &Match{}, func() *Conn { return nil }); c != nil || made {
		t.Error("a connection that could not be made was given")
	}
}

// Who says nothing more takes responses only, and those name the connection.
func TestHalfClosedServesNobody(t *testing.T) {
	var p Index
	c := peerConn("192.0.2.1:5061", false, nil)
	p.Add(c)
	key := endpoint.Of(transport.TLS, netip.MustParseAddrPort("192.0.2.1:5061"))
	if got, _ := p.Find(key, &Match{}, nil); got != c {
		t.Fatal("it does not serve while it is whole")
	}
	c.half = true
	if got, _ := p.Find(key, &Match{}, nil); got != nil {
		t.Error("it serves")
	}
}
