package proxy

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
)

func TestForward(t *testing.T) {
	b := newBed(t, funcs{})
	s := b.one(invite(), overTLS)
	if got, want := firstLine(s.text), "INVITE sip:bob@203.0.113.9:5061;transport=tls SIP/2.0"; got != want {
		t.Errorf("first line %q, want %q", got, want)
	}
	vias := headers(t, s.text, "Via")
	if len(vias) != 2 || !strings.HasPrefix(vias[0], "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK") ||
		vias[1] != "SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient1" {
		t.Errorf("Vias %q", vias)
	}
	if got := header(t, s.text, "Max-Forwards"); got != "69" {
		t.Errorf("Max-Forwards %s, want 69", got)
	}
	want := reactor.Target{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("203.0.113.9:5061"), Name: "203.0.113.9", Socket: tlsSocket, Class: reactor.NewRequest}
	if s.to != want {
		t.Errorf("sent to %+v, want %+v", s.to, want)
	}
	b.counts(map[Counter]uint64{RequestsOut: 1})
}

// A Request-URI that names no place we could send to is the peer's doing: 400, whatever is
// wrong with it. One that the Router wrote is ours.
func TestForwardToABadRequestURI(t *testing.T) {
	for _, uri := range []string{"sip:203.0.113.9;transport=sctp", "sip:203.0.113.9;transport=xyz", "sips:203.0.113.9;transport=udp", "sip:0.0.0.0", "tel:+4930123456"} {
		for _, ours := range []bool{false, true} {
			var err error
			b := newBed(t, funcs{request: func(c *Context) {
				if ours {
					_ = c.SetRequestURI([]byte(uri))
				}
				err = c.Forward(nil)
			}})
			sent, want := request("INVITE", uri), "SIP/2.0 400 Bad Request-URI"
			if ours {
				sent, want = invite(), "SIP/2.0 503 Service Unavailable"
			}
			if s := b.one(sent, overTLS); firstLine(s.text) != want || errors.Is(err, ErrRequestURI) == ours {
				t.Errorf("%s, ours %v: answered %q, error %v", uri, ours, firstLine(s.text), err)
			}
		}
	}
}

// Destinations that cannot be: the Router gets a typed error, and if it does
// nothing more the client a 503, never silence.
func TestForwardFails(t *testing.T) {
	for _, tc := range []struct {
		name, dest string
		want       error
	}{
		{"other transport", "sip:203.0.113.9;transport=sctp", ErrTransport},
		{"sips over UDP", "sips:203.0.113.9;transport=udp", ErrTransport},
		{"unknown name", "sip:nobody.invalid", names.ErrUnresolved},
		{"tel", "tel:+4930123456", ErrURI},
		{"no host", "tls:", ErrURI},
		{"bad port", "203.0.113.9:99999", ErrURI},
		{"port 0", "203.0.113.9:0", ErrURI},
		{"garbage", "\"<", ErrURI},
		{"control characters in a name", "tls:a\x10b", ErrURI},
		{"IPv6 without a listener", "udp:[2001:db8::9]", ErrNoSocket},
		{"multicast", "224.0.1.75", ErrURI},
		{"unspecified", "0.0.0.0", ErrURI},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var err error
			b := newBed(t, funcs{request: func(c *Context) { err = c.Forward([]byte(tc.dest)) }})
			s := b.one(invite(), overTLS)
			var e *Error
			if !errors.Is(err, tc.want) || !errors.As(err, &e) || e.Dest != tc.dest {
				t.Errorf("error %v, want %v", err, tc.want)
			}
			if got := firstLine(s.text); got != "SIP/2.0 503 Service Unavailable" || s.to.Conn != overTLS.Conn {
				t.Errorf("answered %q to %+v", got, s.to)
			}
			b.counts(map[Counter]uint64{ForwardsFailed: 1, OwnResponses: 1})
			if b.proxy.OwnResponses(503) != 1 {
				t.Error("503 not counted")
			}
		})
	}
}

func refuseConns(t *reactor.Target) error {
	if t.Conn == 0 {
		return &reactor.Error{Reason: reactor.ConnectFailed}
	}
	return nil
}

func TestForwardFailureIsTheEngines(t *testing.T) {
	var err error
	b := newBed(t, funcs{request: func(c *Context) { err = c.Forward(nil) }})
	b.refuse = refuseConns
	b.one(invite(), overTLS)
	var e *reactor.Error
	if !errors.As(err, &e) || e.Reason != reactor.ConnectFailed {
		t.Errorf("error %v", err)
	}
}

// A Router tries its next destination, and responds itself when it likes.
func TestNextDestination(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.AppendHeader([]byte("X-Try: 1"))
		if c.Forward([]byte("tls:203.0.113.1")) != nil && c.Forward([]byte("tcp:203.0.113.2")) != nil {
			t.Error("both failed")
		}
	}})
	b.refuse = func(t *reactor.Target) error {
		if t.Proto == reactor.TLS && t.Conn == 0 {
			return &reactor.Error{Reason: reactor.ConnectFailed}
		}
		return nil
	}
	s := b.one(invite(), overTLS)
	if got := s.to.Addr.String(); got != "203.0.113.2:5060" {
		t.Errorf("sent to %s", got)
	}
	vias := headers(t, s.text, "Via")
	if len(vias) != 2 || !strings.HasPrefix(vias[0], "SIP/2.0/TCP 192.0.2.1:5060;") {
		t.Errorf("Vias %q", vias)
	}
	if got := headers(t, s.text, "X-Try"); len(got) != 1 {
		t.Errorf("X-Try %q", got)
	}
	b.counts(map[Counter]uint64{ForwardsFailed: 1, RequestsOut: 1})
}

func TestRouterAnswersAfterFailure(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		if c.Forward(nil) != nil {
			_ = c.Respond(404, nil)
		}
	}})
	b.refuse = refuseConns
	if s := b.one(invite(), overTLS); firstLine(s.text) != "SIP/2.0 404 Not Found" {
		t.Errorf("got %s", firstLine(s.text))
	}
}

// A provisional response is no answer: a failure behind it still wants a 503.
func TestFailureBehindTrying(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.Respond(100, nil)
		_ = c.Forward(nil)
	}})
	b.refuse = refuseConns
	list := b.pass(invite(), overTLS)
	if len(list) != 2 || firstLine(list[0].text) != "SIP/2.0 100 Trying" || !strings.HasPrefix(list[1].text, "SIP/2.0 503 ") {
		t.Errorf("sent %+v", list)
	}
}

func TestFailedAckIsSilent(t *testing.T) {
	b := newBed(t, funcs{})
	b.refuse = refuseConns
	if list := b.pass(request("ACK", "sip:bob@203.0.113.9", "To: <sip:bob@example.com>;tag=b1"), overTLS); len(list) != 0 {
		t.Errorf("sent %+v", list)
	}
	b.counts(map[Counter]uint64{ForwardsFailed: 1})
}

func TestRouterThatDoesNothing(t *testing.T) {
	b := newBed(t, funcs{request: func(*Context) {}})
	if list := b.pass(invite(), overTLS); len(list) != 0 {
		t.Errorf("sent %+v", list)
	}
}

// RFC 3261 16.11: a stateless proxy does not fork.
func TestNoFork(t *testing.T) {
	var second error
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.Forward(nil)
		second = c.Forward([]byte("tls:203.0.113.2"))
	}})
	b.one(invite(), overTLS)
	if !errors.Is(second, ErrForwarded) {
		t.Errorf("second Forward: %v", second)
	}
}

func TestSend(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.AppendHeader([]byte("X-Not: here"))
		if err := c.Send([]byte("udp:203.0.113.5"), nil); err != nil {
			t.Error(err)
		}
	}})
	s := b.one(invite(), overTLS)
	if s.text != invite() || s.to.Addr.String() != "203.0.113.5:5060" || s.to.Socket != udpSocket {
		t.Errorf("sent %+v", s)
	}
	b.counts(map[Counter]uint64{SentAsIs: 1})
}

// A copy that was sent is no answer: a Forward that fails behind it still wants
// a 503, and a Send that fails behind a Forward does not.
func TestSendIsNoAnswer(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.Send([]byte("udp:203.0.113.5"), nil)
		_ = c.Forward([]byte("sip:nobody.invalid"))
	}})
	if list := b.pass(invite(), overTLS); len(list) != 2 || !strings.HasPrefix(list[1].text, "SIP/2.0 503") {
		t.Errorf("sent %+v", list)
	}
	b = newBed(t, funcs{request: func(c *Context) {
		_ = c.Forward(nil)
		_ = c.Send([]byte("sip:nobody.invalid"), nil)
	}})
	if list := b.pass(invite(), overTLS); len(list) != 1 || !strings.HasPrefix(list[0].text, "INVITE") {
		t.Errorf("sent %+v", list)
	}
}

// A datagram without Content-Length has no end on a stream.
func TestSendWithoutLength(t *testing.T) {
	var err error
	b := newBed(t, funcs{request: func(c *Context) { err = c.Send([]byte("tls:203.0.113.5"), nil) }})
	text := strings.Replace(invite(), "Content-Length: 0\r\n", "", 1)
	if s := b.one(text, overUDP); !strings.HasPrefix(s.text, "SIP/2.0 503") || !errors.Is(err, ErrBroken) {
		t.Errorf("sent %+v, error %v", s, err)
	}
}

// RFC 3261 18.3: a stream needs a length, and what follows the body of a
// datagram is not part of the message.
func TestDatagramToStream(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte("tls:203.0.113.5")) }})
	head := strings.TrimSuffix(invite(), "Content-Length: 0\r\n\r\n")
	s := b.one(head+"\r\nv=0\r\n", overUDP)
	if header(t, s.text, "Content-Length") != "5" || !strings.HasSuffix(s.text, "\r\n\r\nv=0\r\n") {
		t.Errorf("sent %s", s.text)
	}
	s = b.one(head+"Content-Length: 3\r\n\r\nv=0\r\njunk", overUDP)
	if header(t, s.text, "Content-Length") != "3" || !strings.HasSuffix(s.text, "\r\n\r\nv=0") {
		t.Errorf("sent %s", s.text)
	}
}

// A next hop that knows only CRLF must see the headers end where we do.
func TestBareLineEnds(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		c.LooseRoute()
		c.RemoveHeader([]byte("Subject"))
		_ = c.AppendHeader([]byte("X-A: 1"))
		c.ForceRPort()
		_ = c.Forward([]byte("tls:203.0.113.9"))
	}})
	text := invite("+Subject: x\r\n folded", "+Organization: y\r\n\tfolded", "+Route: "+ownTLS,
		"Via: SIP/2.0/TLS 198.51.100.7", "Max-Forwards:")
	want := b.one(text, overTLS).text
	for name, in := range map[string]string{
		"all":  strings.ReplaceAll(text, "\r\n", "\n"),
		"one":  strings.Replace(text, "\r\nFrom", "\nFrom", 1),
		"last": strings.TrimSuffix(text, "\r\n") + "\n",
	} {
		if got := b.one(in, overTLS).text; got != want {
			t.Errorf("%s\n got %q\nwant %q", name, got, want)
		}
	}
	res := answer(t, want, "200 OK")
	clean := b.one(res, fromUAS).text
	if got := b.one(strings.ReplaceAll(res, "\r\n", "\n"), fromUAS).text; got != clean {
		t.Errorf("response\n got %q\nwant %q", got, clean)
	}
}

func TestSocketOfRouter(t *testing.T) {
	second := &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.2:5061"), Tag: "b"}
	b := newBed(t, funcs{request: func(c *Context) {
		c.SetSendSocket(second)
		c.SetTLSDomain("carrier")
		c.SetSIPDomain("sip.carrier.example")
		c.openNothing()
		_ = c.Forward(nil)
	}})
	b.proxy.SetSockets(append(slices.Clone(allSockets), second))
	s := b.one(invite(), overTLS)
	if s.to.Socket != second || s.to.Domain != "carrier" || s.to.Name != "sip.carrier.example" || !s.to.NoNew {
		t.Errorf("sent to %+v", s.to)
	}
	if via := headers(t, s.text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/TLS 192.0.2.2:5061;") {
		t.Errorf("Via %q", via)
	}
	s = b.one(invite(), overTLS)
	if s.to.Domain != "carrier" {
		t.Error("second message")
	}
}

// A listener on all addresses names itself as the peer has reached it.
func TestWildcardListener(t *testing.T) {
	all := &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("0.0.0.0:5061")}
	b := newBed(t, funcs{request: func(c *Context) { _ = c.RecordRoute(nil); _ = c.Forward(nil) }})
	b.proxy.SetSockets([]*reactor.Socket{all})
	src := &reactor.Source{Conn: 9, Proto: reactor.TLS, Socket: all,
		Remote: netip.MustParseAddrPort("127.0.0.9:40000"), Local: netip.MustParseAddrPort("127.0.0.1:5061")}
	for range 2 {
		s := b.one(invite(), src)
		if via := headers(t, s.text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/TLS 127.0.0.1:5061;") {
			t.Errorf("Via %q", via)
		}
		if rr := header(t, s.text, "Record-Route"); rr != "<sip:127.0.0.1:5061;transport=tls;lr>" {
			t.Errorf("Record-Route %q", rr)
		}
		if r := b.pass(answer(t, s.text, "200 OK"), fromUAS); len(r) != 1 {
			t.Error("the response did not come back")
		}
	}
	if len(b.ctx.voices) != 1 {
		t.Errorf("%d voices", len(b.ctx.voices))
	}
}

func TestAdvertisedAddress(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) { _ = c.RecordRoute(nil); _ = c.Forward(nil) }})
	b.proxy.SetSockets([]*reactor.Socket{advertised})
	src := *overTLS
	src.Socket = advertised
	s := b.one(invite(), &src)
	if via := headers(t, s.text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/TLS edge.example.com:5061;") {
		t.Errorf("Via %q", via)
	}
	if rr := header(t, s.text, "Record-Route"); rr != "<sip:edge.example.com:5061;transport=tls;lr>" {
		t.Errorf("Record-Route %q", rr)
	}
	if r := b.pass(answer(t, s.text, "200 OK"), fromUAS); len(r) != 1 {
		t.Error("the response did not come back")
	}
}
