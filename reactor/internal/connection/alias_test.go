package connection

import (
	"crypto/x509"
	"net/netip"
	"testing"
	"time"

	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/peers"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// A connection stands for other ports of its peer's address, as long as it
// lives, and takes nobody else's.
func TestAliases(t *testing.T) {
	var p Index
	a, b := peerConn("192.0.2.1:40001", false, nil), peerConn("192.0.2.1:40002", false, nil)
	p.Add(a)
	p.Add(b)
	stand := func(c *Conn, port uint16) error {
		_, err := p.TakeAlias(c, endpoint.Of(transport.TLS, netip.AddrPortFrom(c.Src.Remote.Addr(), port)))
		return err
	}
	at := func(port uint16) *Conn {
		c, _ := p.Find(endpoint.Of(transport.TLS, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)), &Match{}, nil)
		return c
	}
	if err := stand(a, 5061); err != nil || at(5061) != a {
		t.Fatalf("the alias: %v", err)
	}
	if err := stand(a, 5061); err != nil {
		t.Errorf("once more: %v", err)
	}
	if err := stand(b, 40001); err != peers.ErrTaken || at(40001) != a {
		t.Errorf("another's own port: %v", err)
	}
	if err := stand(a, 40001); err != nil {
		t.Errorf("its own port: %v", err)
	}
	for port := uint16(1); port < peers.MaxAliases; port++ {
		if err := stand(a, port); err != nil {
			t.Errorf("alias %d: %v", port, err)
		}
	}
	if err := stand(a, 9999); err != peers.ErrAliases {
		t.Errorf("one too many: %v", err)
	}
	p.Leave(a)
	if at(5061) != nil || p.Len() != 1 {
		t.Error("an alias outlives its connection")
	}
	if err := stand(a, 5061); err != peers.ErrGone {
		t.Errorf("of a connection that is gone: %v", err)
	}
	if err := stand(b, 5061); err != nil {
		t.Errorf("the free address: %v", err)
	}
}

// The newest connection from an address holds an alias: the peer has come back.
// The one before does not get it again while that lives.
func TestNewestHoldsTheAlias(t *testing.T) {
	var p Index
	key := endpoint.Of(transport.TLS, netip.MustParseAddrPort("192.0.2.1:5061"))
	born := time.Now()
	from := func(addr string, after time.Duration) *Conn {
		c := peerConn(addr, false, nil)
		c.Born = born.Add(after)
		p.Add(c)
		return c
	}
	holder := func() *Conn { c, _ := p.Find(key, &Match{}, nil); return c }
	old, young := from("192.0.2.1:40001", 0), from("192.0.2.1:40002", time.Second)
	if s, err := p.TakeAlias(old, key); err != nil || len(s) != 0 || holder() != old {
		t.Fatalf("the first: %v, holders %v", err, s)
	}
	if s, err := p.TakeAlias(young, key); err != nil || len(s) != 1 || s[0] != old || holder() != young {
		t.Fatalf("the newer one: %v, holders %v", err, s)
	}
	if len(p.AliasPorts(old)) != 0 {
		t.Error("the old one still has it")
	}
	if s, err := p.TakeAlias(old, key); err != peers.ErrTaken || len(s) != 0 || holder() != young {
		t.Errorf("the old one again: %v", err)
	}
	p.Leave(old) // which ends later
	if holder() != young {
		t.Error("the old one took the alias with it")
	}
	young.NoteClose(reason.Because(reason.PeerClosed, ""))
	older := from("192.0.2.1:40003", -time.Second)
	if _, err := p.TakeAlias(older, key); err != nil || holder() != older {
		t.Errorf("the holder is about to end: %v", err)
	}
}

// Who has shown a verified certificate loses an alias only to one whose verified
// certificate names a SIP domain of his.
func TestAliasKeepsToItsParty(t *testing.T) {
	ca := tlstest.NewCA(t, "ca")
	leaf := func(names ...string) *tlsstate.State {
		return &tlsstate.State{Verified: true, Peer: []*x509.Certificate{ca.Leaf(t, tlstest.Leaf{DNS: names}).Cert}}
	}
	unverified := leaf("a.example")
	unverified.Verified = false
	for name, tt := range map[string]struct {
		held, claims *tlsstate.State
		moves        bool
	}{
		"nobody showed any":   {nil, nil, true},
		"the holder did":      {leaf("a.example"), nil, false},
		"the claimant did":    {nil, leaf("a.example"), true},
		"the same party":      {leaf("a.example"), leaf("b.example", "A.example"), true},
		"another":             {leaf("a.example"), leaf("b.example"), false},
		"the same, unchecked": {leaf("a.example"), unverified, false},
	} {
		var p Index
		key := endpoint.Of(transport.TLS, netip.MustParseAddrPort("192.0.2.1:5061"))
		old, young := peerConn("192.0.2.1:40001", false, nil), peerConn("192.0.2.1:40002", false, nil)
		young.Born = old.Born.Add(time.Second)
		old.tls.Whole, young.tls.Whole = tt.held, tt.claims
		for _, c := range []*Conn{old, young} {
			p.Add(c)
		}
		if _, err := p.TakeAlias(old, key); err != nil {
			t.Fatal(err)
		}
		if _, err := p.TakeAlias(young, key); (err == nil) != tt.moves {
			t.Errorf("%s: %v", name, err)
		}
	}
}
