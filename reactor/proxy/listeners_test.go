package proxy

import (
	"net/netip"
	"testing"

	"sipreactor/reactor"
)

func TestIsMyself(t *testing.T) {
	b := newBed(t, funcs{}, func(c *Config) {
		c.MyDomains = []string{"example.com", "tls:edge.example.com:5061", "[2001:db8::99]:5070", "203.0.113.200"}
	})
	b.proxy.SetSockets(append([]*reactor.Socket{advertised}, allSockets...))
	b.proxy.SetRouter(funcs{request: func(c *Context) {
		for _, tc := range []struct {
			host string
			port int
			want bool
		}{
			{"192.0.2.1", 0, true}, {"192.0.2.1", 5061, true}, {"192.0.2.1", 5071, true}, {"192.0.2.1", 5099, false},
			{"192.0.2.2", 0, false}, {"[2001:db8::1]", 5061, true}, {"2001:DB8:0::1", 0, true}, {"[2001:db8::1]", 5060, false},
			{"example.com", 1234, true}, {"Example.COM", 0, true}, {"example.com.", 0, true}, {"x.example.com", 0, false},
			{"edge.example.com", 5061, true}, {"edge.example.com", 0, true}, {"edge.example.com", 5062, false},
			{"2001:db8::99", 5070, true}, {"2001:db8::99", 5060, false}, {"203.0.113.200", 9, true},
			{"", 0, false}, {"192.0.2.1", -1, false}, {"192.0.2.1", 70000, false}, {"[", 0, false}, {"%", 0, false},
		} {
			if got := c.IsMyself([]byte(tc.host), tc.port); got != tc.want {
				t.Errorf("%s:%d is %v", tc.host, tc.port, got)
			}
		}
	}})
	b.pass(invite(), overTLS)
	long := make([]byte, 300)
	for i := range long {
		long[i] = 'a'
	}
	if b.ctx.ours.mine(long, 0, 0) {
		t.Error("a long name is us")
	}
}

func TestListenerTexts(t *testing.T) {
	l := newListeners([]*reactor.Socket{
		tlsSocket, udpSocket, tls6Socket, advertised,
		{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5090"), Advertised: "2001:db8::5"},
	}, nil)
	for i, want := range []struct{ via, sip, sips string }{
		{"SIP/2.0/TLS 192.0.2.1:5061;branch=", "sip:192.0.2.1:5061;transport=tls", "sips:192.0.2.1"},
		{"SIP/2.0/UDP 192.0.2.1:5060;branch=", "sip:192.0.2.1", "sips:192.0.2.1:5060"},
		{"SIP/2.0/TLS [2001:db8::1]:5061;branch=", "sip:[2001:db8::1]:5061;transport=tls", "sips:[2001:db8::1]"},
		{"SIP/2.0/TLS edge.example.com:5061;branch=", "sip:edge.example.com:5061;transport=tls", "sips:edge.example.com"},
		{"SIP/2.0/TLS [2001:db8::5]:5090;branch=", "sip:[2001:db8::5]:5090;transport=tls", "sips:[2001:db8::5]:5090"},
	} {
		li := &l.list[i]
		if string(li.via) != want.via || string(li.sip) != want.sip || string(li.sips) != want.sips {
			t.Errorf("%d: %s, %s, %s", i, li.via, li.sip, li.sips)
		}
	}
	if l.at(0) != nil || l.at(socketID(tcpSocket)) != nil || l.at(socketID(udpSocket)) != &l.list[1] || l.of(tcpSocket) != nil || l.of(nil) != nil {
		t.Error("lookup by id or socket")
	}
	if !l.speaks(reactor.UDP) || l.speaks(reactor.TCP) {
		t.Error("speaks")
	}
	if l.find([]byte("EDGE.example.com"), 5061, reactor.TLS) != &l.list[3] || l.find([]byte("192.0.2.1"), 5061, reactor.UDP) != nil {
		t.Error("find")
	}
}

func TestPickListener(t *testing.T) {
	second := &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.2:5061")}
	l := newListeners(append([]*reactor.Socket{second}, allSockets...), nil)
	v4, v6 := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8::9")
	for _, tc := range []struct {
		name     string
		proto    reactor.Proto
		to       netip.Addr
		want, in *reactor.Socket
		got      *reactor.Socket
	}{
		{"the first", reactor.TLS, v4, nil, nil, second},
		{"what it came by", reactor.TLS, v4, nil, tlsSocket, tlsSocket},
		{"what the Router wants", reactor.TLS, v4, tlsSocket, second, tlsSocket},
		{"not of another transport", reactor.TLS, v4, udpSocket, tcpSocket, second},
		{"not of another family", reactor.TLS, v6, tlsSocket, second, tls6Socket},
		{"mapped", reactor.UDP, netip.AddrFrom16(v4.As16()), nil, nil, udpSocket},
		{"none", reactor.UDP, v6, nil, nil, nil},
	} {
		li := l.pick(tc.proto, tc.to, tc.want, tc.in)
		if li == nil && tc.got != nil || li != nil && li.socket != tc.got {
			t.Errorf("%s: %+v", tc.name, li)
		}
	}
}

func TestParseAlias(t *testing.T) {
	for s, want := range map[string]alias{
		"example.com":         {host: "example.com"},
		"Example.com:5070":    {host: "example.com", place: place5070},
		"tls:example.com":     {host: "example.com", place: placeOf(0, reactor.TLS)},
		"UDP:10.0.0.1:5060":   {host: "10.0.0.1", place: placeOf(5060, reactor.UDP)},
		"tcp:[2001:db8::1]:9": {host: "[2001:db8::1]", place: placeOf(9, reactor.TCP)},
	} {
		if got, err := parseAlias(s); err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "tls:", "a:b", "a:0", ":5060", "[::1"} {
		if _, err := New(Config{MyDomains: []string{s}}, funcs{}); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func placeOf(port uint16, proto reactor.Proto) place { return place{port, proto} }

var place5070 = placeOf(5070, 0)

func TestLocalAddrs(t *testing.T) {
	for _, v4 := range []bool{true, false} {
		list := localAddrs(v4)
		if len(list) == 0 || !list[len(list)-1].IsLoopback() {
			t.Errorf("addresses %v", list)
		}
		for _, a := range list {
			if a.Is4() != v4 {
				t.Errorf("%v in a list of the other family", a)
			}
		}
	}
}
