package tlsstate

import (
	"net/netip"
	"testing"
)

func domainFor(name string, addrs, names []string) *domain {
	return &domain{cfg: DomainConfig{Name: name, MatchAddresses: addrs, MatchSIPDomains: names}}
}

func TestMatch(t *testing.T) {
	var m matcher
	for _, d := range []*domain{
		domainFor("anything", nil, nil),
		domainFor("anything too", []string{"*"}, []string{"*"}),
		domainFor("com", nil, []string{"*.com"}),
		domainFor("example", nil, []string{"*.example.com"}),
		domainFor("sip", nil, []string{"sip.example.com", "SIP2.example.com"}),
		domainFor("ip", []string{"192.0.2.1"}, []string{"*"}),
		domainFor("port", []string{"192.0.2.1:5061"}, []string{"*", "sip2.example.com", "*.example.com"}),
		domainFor("v6", []string{"[2001:db8::1]", "2001:db8::2"}, nil),
		domainFor("no name", nil, []string{"none"}),
		domainFor("class", nil, []string{"edge[0-9].example.net"}),
	} {
		if err := m.add(d); err != nil {
			t.Fatal(d.cfg.Name, err)
		}
	}
	for _, c := range []struct{ addr, name, want string }{
		{"198.51.100.1:5061", "example.org", "anything"},
		{"198.51.100.1:5061", "none", "no name"},
		{"198.51.100.1:5061", "a.b.com", "com"},
		{"198.51.100.1:5061", "a.example.com", "example"},
		{"198.51.100.1:5061", "sip.example.com", "sip"},
		{"198.51.100.1:5061", "SIP2.EXAMPLE.COM.", "sip"},
		{"198.51.100.1:5061", "edge7.example.net", "class"},
		{"198.51.100.1:5061", "edgeX.example.net", "anything"},
		// An exact address does not hide "*", and wins at equal rank of the name.
		{"192.0.2.1:5061", "sip.example.com", "sip"},
		{"192.0.2.1:5061", "sip2.example.com", "port"},
		{"192.0.2.1:5061", "x.example.com", "port"},
		{"192.0.2.1:5061", "x.com", "com"},
		{"192.0.2.1:5061", "x.org", "port"},
		{"192.0.2.1:5062", "x.org", "ip"},
		{"192.0.2.1:5062", "x.example.com", "example"},
		{"[::ffff:192.0.2.1]:5061", "x.org", "port"},
		{"[2001:db8::1]:5061", "x.org", "v6"},
		{"[2001:db8::2]:9", "x.org", "v6"},
	} {
		d := m.find(netip.MustParseAddrPort(c.addr), c.name)
		if d == nil || d.cfg.Name != c.want {
			t.Errorf("%s %s: %v, want %s", c.addr, c.name, d, c.want)
		}
	}
}

func TestMatchNothing(t *testing.T) {
	var m matcher
	here, elsewhere := netip.MustParseAddrPort("192.0.2.1:5061"), netip.MustParseAddrPort("192.0.2.2:5061")
	if m.serves(here) || m.find(here, "x") != nil {
		t.Error("nothing matches something")
	}
	if err := m.add(domainFor("d", []string{"192.0.2.1"}, []string{"a.example.com"})); err != nil {
		t.Fatal(err)
	}
	if !m.serves(here) || m.serves(elsewhere) || m.find(here, "b.example.com") != nil || m.find(here, "a.example.com") == nil {
		t.Error("the one domain matches wrongly")
	}
}

func TestMatchMistakes(t *testing.T) {
	for _, d := range []*domain{
		domainFor("d", []string{"localhost"}, nil),
		domainFor("d", []string{"192.0.2.1:x"}, nil),
		domainFor("d", []string{""}, nil),
		domainFor("d", nil, []string{""}),
		domainFor("d", nil, []string{"[a"}),
	} {
		var m matcher
		if err := m.add(d); err == nil {
			t.Errorf("%v %v: no error", d.cfg.MatchAddresses, d.cfg.MatchSIPDomains)
		}
	}
}
