package proxy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor"
)

// RFC 3261 16.6 item 7, 16.11: where a request goes.
func TestNextHop(t *testing.T) {
	for _, tc := range []struct {
		name, dest, du, uri, route string
		to                         string // proto:addr name
	}{
		{name: "Request-URI", uri: "sip:bob@203.0.113.9;transport=tls", to: "tls:203.0.113.9:5061 203.0.113.9"},
		{name: "sips is TLS", uri: "sips:bob@203.0.113.9", to: "tls:203.0.113.9:5061 203.0.113.9"},
		{name: "UDP by default", uri: "sip:bob@203.0.113.9", to: "udp:203.0.113.9:5060 203.0.113.9"},
		{name: "tcp", uri: "sip:203.0.113.9:5080;transport=TCP", to: "tcp:203.0.113.9:5080 203.0.113.9"},
		{name: "maddr", uri: "sip:bob@example.com;maddr=203.0.113.9;transport=tls", to: "tls:203.0.113.9:5061 example.com"},
		{name: "IPv6", uri: "sip:bob@[2001:db8::9];transport=tls", to: "tls:[2001:db8::9]:5061 [2001:db8::9]"},
		{name: "$du before Request-URI", uri: "sip:bob@203.0.113.9", du: "sip:203.0.113.10;transport=tls", to: "tls:203.0.113.10:5061 203.0.113.10"},
		{name: "$du before Route", uri: "sip:bob@203.0.113.9", du: "sip:203.0.113.10;transport=tls",
			route: "<sip:203.0.113.11;transport=tls;lr>", to: "tls:203.0.113.10:5061 203.0.113.10"},
		{name: "Route before Request-URI", uri: "sip:bob@203.0.113.9", route: "<sip:203.0.113.11;transport=tls;lr>",
			to: "tls:203.0.113.11:5061 203.0.113.11"},
		{name: "explicit before all", dest: "tls:203.0.113.12:5071", uri: "sip:bob@203.0.113.9",
			du: "sip:203.0.113.10", route: "<sip:203.0.113.11;lr>", to: "tls:203.0.113.12:5071 203.0.113.12"},
		{name: "explicit host and port", dest: "203.0.113.12:5080", uri: "sip:bob@x.invalid", to: "udp:203.0.113.12:5080 203.0.113.12"},
		{name: "explicit host", dest: "203.0.113.12", uri: "sip:bob@x.invalid", to: "udp:203.0.113.12:5060 203.0.113.12"},
		{name: "explicit IPv6", dest: "tls:[2001:db8::9]:5071", uri: "sip:bob@x.invalid", to: "tls:[2001:db8::9]:5071 [2001:db8::9]"},
		{name: "explicit URI", dest: "sip:203.0.113.12;transport=tls", uri: "sip:bob@x.invalid", to: "tls:203.0.113.12:5061 203.0.113.12"},
		{name: "explicit name-addr", dest: "<sip:203.0.113.12;transport=tls>", uri: "sip:bob@x.invalid", to: "tls:203.0.113.12:5061 203.0.113.12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, funcs{request: func(c *Context) {
				if err := c.SetDestURI([]byte(tc.du)); err != nil {
					t.Error(err)
				}
				if err := c.Forward([]byte(tc.dest)); err != nil {
					t.Error(err)
				}
			}})
			s := b.one(request("MESSAGE", tc.uri, "Route:"+tc.route), overTLS)
			if got := s.to.Proto.String() + ":" + s.to.Addr.String() + " " + s.to.Name; got != tc.to {
				t.Errorf("sent to %s, want %s", got, tc.to)
			}
			if !strings.HasPrefix(firstLine(s.text), "MESSAGE "+tc.uri+" ") {
				t.Errorf("Request-URI changed: %s", firstLine(s.text))
			}
			if s.to.Socket == nil || s.to.Socket.Proto != s.to.Proto {
				t.Errorf("sent from %+v", s.to.Socket)
			}
		})
	}
}

func TestAddressesAreTriedInOrder(t *testing.T) {
	names := fixed{"pool.example.com": {"203.0.113.1:5061", "[2001:db8::2]:5061", "203.0.113.3:5061", "203.0.113.4:5061"}}
	b := newBed(t, funcs{}, func(c *Config) { c.Resolver = names })
	var tried []string
	b.refuse = func(t *reactor.Target) error {
		tried = append(tried, t.Addr.String()+" "+t.Name)
		if len(tried) < 3 {
			return &reactor.Error{Reason: reactor.ConnectFailed}
		}
		return nil
	}
	s := b.one(request("OPTIONS", "sips:Pool.Example.com"), overTLS)
	want := []string{"203.0.113.1:5061 pool.example.com", "[2001:db8::2]:5061 pool.example.com", "203.0.113.3:5061 pool.example.com"}
	if !slices.Equal(tried, want) {
		t.Errorf("tried %q, want %q", tried, want)
	}
	if via := headers(t, s.text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/TLS 192.0.2.1:5061;") {
		t.Errorf("Via %q", via)
	}
	if b.waits != 1 {
		t.Errorf("%d waits, want 1", b.waits)
	}
	b.pass(request("OPTIONS", "sips:pool.example.com"), overTLS)
	if b.waits != 1 {
		t.Error("the second message waited for a name that was known")
	}
}

// The error of a connection says more than that of a family without listener.
func TestErrorOfSeveralAddresses(t *testing.T) {
	var err error
	names := fixed{"x.example.com": {"203.0.113.1:5060", "[2001:db8::2]:5060"}}
	b := newBed(t, funcs{request: func(c *Context) { err = c.Forward([]byte("tcp:x.example.com")) }},
		func(c *Config) { c.Resolver = names })
	b.refuse = refuseConns
	b.pass(invite(), overTLS)
	var e *reactor.Error
	if !errors.As(err, &e) {
		t.Errorf("error %v", err)
	}
}

// With TLS listeners only, a URI that names no transport means the one the
// message came by.
func TestDefaultTransportWithoutUDP(t *testing.T) {
	b := newBed(t, funcs{})
	b.proxy.SetSockets([]*reactor.Socket{tlsSocket})
	if s := b.one(request("INVITE", "sip:bob@203.0.113.9"), overTLS); s.to.Proto != reactor.TLS || s.to.Addr.Port() != 5061 {
		t.Errorf("sent to %+v", s.to)
	}
}

func TestTLSPort(t *testing.T) {
	b := newBed(t, funcs{}, func(c *Config) { c.TLSPort = 7061 })
	if s := b.one(request("INVITE", "sips:bob@203.0.113.9"), overTLS); s.to.Addr.Port() != 7061 {
		t.Errorf("sent to %v", s.to.Addr)
	}
	b = newBed(t, funcs{}, func(c *Config) { c.TCPPort, c.UDPPort = 7060, 7062 })
	for transport, port := range map[string]uint16{"tcp": 7060, "udp": 7062, "tls": 5061} {
		if s := b.one(request("INVITE", "sip:bob@203.0.113.9;transport="+transport), overTLS); s.to.Addr.Port() != port {
			t.Errorf("%s: sent to %v", transport, s.to.Addr)
		}
	}
}

// Whatever a destination is, it is read or refused; what is read can be asked of
// a resolver and does not leave the text it came from.
func FuzzNextHop(f *testing.F) {
	for _, s := range []string{"a", "tls:a:1", "sip:a@b;maddr=c;transport=tls", "<sips:[::1]>", "[::1]:5", "udp:", "sip:a;transport", "sip:a;transport=WS", "[]", "<", ">"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h hop
		if parseHop(b, &h) != nil {
			return
		}
		if !h.addr.IsValid() && !validName(h.host) || len(h.name) == 0 {
			t.Fatalf("%q is read as %+v", b, h)
		}
		if !strings.Contains(string(b), string(h.name)) || !strings.Contains(string(b), string(h.host)) {
			t.Fatalf("%q has no %q, %q", b, h.name, h.host)
		}
		if h.proto > reactor.WSS || h.addr.IsMulticast() {
			t.Fatalf("%q is read as %+v", b, h)
		}
	})
}
