package reuse

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func shown(t *testing.T, ca *tlstest.CA, verified bool, dns ...string) *tlsstate.State {
	return &tlsstate.State{Verified: verified, Peer: []*x509.Certificate{ca.Leaf(t, tlstest.Leaf{DNS: dns}).Cert}}
}

func TestVouched(t *testing.T) {
	ca := tlstest.NewCA(t, "ca")
	a, unchecked := shown(t, ca, true, "a.example"), shown(t, ca, false, "a.example")
	verify := tlsstate.ClientIdentity{Verify: true, Trust: [32]byte{1}}
	byName, other := verify, verify
	byName.VerifyName, other.Trust = true, [32]byte{2}
	from := netip.MustParseAddr("192.0.2.1")
	dialled := Peer{Outbound: true, From: from, Shown: a}
	accepted := func(s *tlsstate.State, user bool) Peer { return Peer{From: from, Shown: s, UserKnown: user} }
	for name, tt := range map[string]struct {
		proof Proof
		want  Want
		peer  Peer
		is    bool
	}{
		"nothing is demanded":                          {Proof{}, Want{Name: "x"}, accepted(nil, false), true},
		"ours, not verified":                           {Proof{Self: tlsstate.ClientIdentity{Trust: [32]byte{1}}}, Want{Self: verify}, dialled, false},
		"ours, verified by others":                     {Proof{Self: other}, Want{Self: verify}, dialled, false},
		"ours, whatever the name":                      {Proof{Self: verify}, Want{Self: verify, Name: "x"}, dialled, true},
		"ours, made for that name":                     {Proof{Self: byName, Meant: "x"}, Want{Self: byName, Name: "x"}, dialled, true},
		"ours, made for it but its name not checked":   {Proof{Self: verify, Meant: "x"}, Want{Self: byName, Name: "x"}, dialled, false},
		"ours, its leaf names that as well":            {Proof{Self: byName, Meant: "x"}, Want{Self: byName, Name: "a.example"}, dialled, true},
		"ours, its leaf does not":                      {Proof{Self: byName, Meant: "x"}, Want{Self: byName, Name: "b.example"}, dialled, false},
		"ours, another name before the handshake ends": {Proof{Self: byName, Meant: "x"}, Want{Self: byName, Name: "a.example"}, Peer{Outbound: true}, false},
		"accepted, showed nothing":                     {Proof{}, Want{Self: verify, Name: "192.0.2.1"}, accepted(nil, false), false},
		"accepted, not checked":                        {Proof{}, Want{Self: verify, Name: "a.example"}, accepted(unchecked, false), false},
		"accepted, names it":                           {Proof{}, Want{Self: verify, Name: "a.example"}, accepted(a, false), true},
		"accepted, names another":                      {Proof{}, Want{Self: verify, Name: "b.example"}, accepted(a, false), false},
		"a known user, by its address":                 {Proof{}, Want{Self: verify, Name: "192.0.2.1"}, accepted(nil, true), true},
		"a known user, as IPv6 writes it":              {Proof{}, Want{Self: verify, Name: "192.0.2.1"}, Peer{From: netip.MustParseAddr("::ffff:192.0.2.1"), UserKnown: true}, true},
		"a known user, by a name":                      {Proof{}, Want{Self: verify, Name: "a.example"}, accepted(nil, true), false},
		"a known user, by another's address":           {Proof{}, Want{Self: verify, Name: "192.0.2.2"}, accepted(nil, true), false},
	} {
		if got := tt.proof.Vouched(&tt.want, &tt.peer); got != tt.is {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSameSelf(t *testing.T) {
	p := Proof{Self: tlsstate.ClientIdentity{Domain: "d", Leaf: [32]byte{1}}}
	other := Want{CheckCert: true, Self: tlsstate.ClientIdentity{Domain: "d", Leaf: [32]byte{2}}}
	same := Want{CheckCert: true, Self: p.Self}
	if p.SameSelf(&other, true) || !p.SameSelf(&other, false) || !p.SameSelf(&same, true) {
		t.Error("our certificate counts on connections of ours, and there only")
	}
	other.CheckCert = false
	if !p.SameSelf(&other, true) {
		t.Error("nobody asks")
	}
}

func TestSucceeds(t *testing.T) {
	ca := tlstest.NewCA(t, "ca")
	a := shown(t, ca, true, "a.example")
	for name, tt := range map[string]struct {
		holder, claimant *tlsstate.State
		is               bool
	}{
		"nobody showed any":              {nil, nil, true},
		"the holder's was not verified":  {shown(t, ca, false, "a.example"), nil, true},
		"the holder's was":               {a, nil, false},
		"the claimant's was":             {nil, a, true},
		"the same party":                 {a, shown(t, ca, true, "b.example", "A.example"), true},
		"another":                        {a, shown(t, ca, true, "b.example"), false},
		"the same names, but unverified": {a, shown(t, ca, false, "a.example"), false},
	} {
		if got := Succeeds(tt.holder, tt.claimant); got != tt.is {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What is remembered of names has a bound, and does not change what is said.
func TestNamesAreBounded(t *testing.T) {
	s := shown(t, tlstest.NewCA(t, "ca"), true, "a.example", "b.example")
	var n names
	for i := range 100 {
		for name, want := range map[string]bool{"a.example": true, "b.example": true, fmt.Sprint("c", i, ".example"): false} {
			for range 2 {
				if n.has(s, name) != want {
					t.Fatalf("%s: %v", name, !want)
				}
			}
		}
		if len(n) > maxNames {
			t.Fatalf("%d are remembered", len(n))
		}
	}
}

func TestPlainName(t *testing.T) {
	for in, want := range map[string]string{"A.Example": "a.example", "a.example.": "a.example", "[2001:DB8::1]": "2001:db8::1", "": ""} {
		if got := PlainName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
