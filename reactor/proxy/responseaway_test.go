package proxy

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
)

// RFC 3261 18.2.2: where a response goes when the connection is gone.
func TestResponseWithoutConnection(t *testing.T) {
	names := fixed{"pc.example.com": {"203.0.113.77:5061"}}
	for _, tc := range []struct {
		name, via string
		src       *reactor.Source
		want      []string // what is tried behind the connection
	}{
		{"sent-by", "SIP/2.0/TLS 198.51.100.7:5081;branch=z9hG4bK1", overTLS, []string{"tls:198.51.100.7:5081 198.51.100.7"}},
		{"default port", "SIP/2.0/TLS 198.51.100.7;branch=z9hG4bK1", overTLS, []string{"tls:198.51.100.7:5061 198.51.100.7"}},
		{"received", "SIP/2.0/TLS 10.0.0.1:5081;branch=z9hG4bK1", overTLS, []string{"tls:198.51.100.7:5081 10.0.0.1"}},
		{"rport is no port to connect to", "SIP/2.0/TLS 10.0.0.1:5081;rport;branch=z9hG4bK1", overTLS, []string{"tls:198.51.100.7:5081 10.0.0.1"}},
		{"name", "SIP/2.0/TLS pc.example.com;branch=z9hG4bK1", overTLS,
			[]string{"tls:198.51.100.7:5061 pc.example.com", "tls:203.0.113.77:5061 pc.example.com"}},
		{"TCP", "SIP/2.0/TCP 198.51.100.7;branch=z9hG4bK1", overTCP, []string{"tcp:198.51.100.7:5060 198.51.100.7"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte("tls:203.0.113.9")) }},
				func(c *Config) { c.Resolver, c.ViaFallback = names, FallbackAlways })
			text := answer(t, b.one(invite("Via: "+tc.via), tc.src).text, "200 OK")
			var tried []string
			b.refuse = func(to *reactor.Target) error {
				if to.Conn != 0 {
					return gone
				}
				tried = append(tried, to.Proto.String()+":"+to.Addr.String()+" "+to.Name)
				if to.Socket != tc.src.Socket {
					t.Errorf("from %+v", to.Socket)
				}
				return &reactor.Error{Reason: reactor.ConnectFailed}
			}
			if list := b.pass(text, fromUAS); len(list) != 0 {
				t.Errorf("sent %+v", list)
			}
			if strings.Join(tried, ", ") != strings.Join(tc.want, ", ") {
				t.Errorf("tried %q, want %q", tried, tc.want)
			}
			b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesUndelivered: 1})
			b.refuse = func(to *reactor.Target) error {
				if to.Conn != 0 {
					return gone
				}
				return nil
			}
			b.one(text, fromUAS)
		})
	}
}

// A connection that is there and refuses is not gone: the response is lost.
func TestResponseToFullConnection(t *testing.T) {
	b := newBed(t, funcs{})
	text := answer(t, b.one(invite(), overTLS).text, "200 OK")
	b.refuse = func(*reactor.Target) error { return &reactor.Error{Reason: reactor.QueueFull} }
	b.pass(text, fromUAS)
	b.counts(map[Counter]uint64{RequestsOut: 1, ResponsesUndelivered: 1})
}

// RFC 3261 18.2.2, the second step: only for whom via_fallback allows it.
func TestViaFallback(t *testing.T) {
	names := fixed{"pc.example.com": {"203.0.113.77:5061"}}
	verified := *overTLS
	verified.Verified = true
	listed := []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	for _, tc := range []struct {
		name   string
		policy Fallback
		src    *reactor.Source
		listed []netip.Prefix
		want   bool
	}{
		{"anybody", FallbackVerified, overTLS, nil, false},
		{"verified", FallbackVerified, &verified, nil, true},
		{"listed", FallbackVerified, overTLS, listed, true},
		{"always", FallbackAlways, overTLS, nil, true},
		{"never", FallbackNever, &verified, listed, false},
	} {
		change := func(c *Config) {
			c.Resolver, c.ViaFallback, c.ViaFallbackPeers = names, tc.policy, tc.listed
		}
		for _, response := range []bool{false, true} {
			b := newBed(t, funcs{request: func(c *Context) {
				if response {
					_ = c.Respond(200, nil)
					return
				}
				_ = c.Forward([]byte("tls:203.0.113.9"))
			}}, change)
			var tried []string
			closed := func(to *reactor.Target) error {
				if to.Conn != 0 {
					return gone
				}
				tried = append(tried, to.Addr.String())
				return &reactor.Error{Reason: reactor.ConnectFailed}
			}
			text := invite("Via: SIP/2.0/TLS pc.example.com;branch=z9hG4bK1")
			if response {
				b.refuse = closed
				b.pass(text, tc.src)
			} else {
				text = answer(t, b.one(text, tc.src).text, "200 OK")
				b.refuse = closed
				b.pass(text, fromUAS)
			}
			want := "198.51.100.7:5061"
			if tc.want {
				want += " 203.0.113.77:5061"
			}
			if got := strings.Join(tried, " "); got != want {
				t.Errorf("%s, response %v: tried %s, want %s", tc.name, response, got, want)
			}
		}
		// maddr is the client's choice likewise.
		b := newBed(t, funcs{}, change)
		src := *overUDP
		src.Verified = tc.src.Verified
		req := b.one(invite("Via: SIP/2.0/UDP 198.51.100.7;maddr=203.0.113.66;branch=z9hG4bK1"), &src)
		got := b.one(answer(t, req.text, "200 OK"), fromUAS).to.Addr.Addr().String()
		if want := map[bool]string{true: "203.0.113.66", false: "198.51.100.7"}[tc.want]; got != want {
			t.Errorf("%s: sent to %s, want %s", tc.name, got, want)
		}
	}
}

// RFC 3581 4, RFC 3261 18.2.2 for datagrams.
func TestResponseOverUDP(t *testing.T) {
	for _, tc := range []struct{ name, via, want string }{
		{"sent-by port", "SIP/2.0/UDP 198.51.100.7:5080;branch=z9hG4bK1", "198.51.100.7:5080"},
		{"default port", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", "198.51.100.7:5060"},
		{"rport", "SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1", "198.51.100.7:40002"},
		{"maddr", "SIP/2.0/UDP 198.51.100.7;maddr=198.51.100.8;branch=z9hG4bK1", "198.51.100.8:5060"},
		{"multicast maddr", "SIP/2.0/UDP 198.51.100.7;maddr=224.0.1.75;branch=z9hG4bK1", "198.51.100.7:5060"},
		{"received is not believed", "SIP/2.0/UDP 198.51.100.7;received=203.0.113.66;branch=z9hG4bK1", "198.51.100.7:5060"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			always := func(c *Config) { c.ViaFallback = FallbackAlways }
			b := newBed(t, funcs{}, always)
			req := b.one(invite("Via: "+tc.via), overUDP)
			s := b.one(answer(t, req.text, "200 OK"), fromUAS)
			if s.to.Conn != 0 || s.to.Proto != reactor.UDP || s.to.Addr.String() != tc.want || s.to.Socket != udpSocket {
				t.Errorf("forwarded to %+v, want %s", s.to, tc.want)
			}
			b = newBed(t, funcs{request: func(c *Context) { _ = c.Respond(200, nil) }}, always)
			s = b.one(invite("Via: "+tc.via), overUDP)
			if s.to.Conn != 0 || s.to.Addr.String() != tc.want || s.to.Socket != udpSocket {
				t.Errorf("responded to %+v, want %s", s.to, tc.want)
			}
		})
	}
}
