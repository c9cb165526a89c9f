package proxy_test

import (
	"fmt"
	"net/netip"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// edge is a Router in Go: it answers OPTIONS, stays in the path of calls and
// sends everything to one carrier, or else to another.
type edge struct{ first, second []byte }

func (e edge) Request(c *proxy.Context) {
	switch {
	case c.Msg.Method() == sipframe.OPTIONS && c.IsMyself([]byte("192.0.2.1"), 0):
		_ = c.AppendToResponse([]byte("Accept: application/sdp"))
		_ = c.Respond(200, nil)
	case c.LooseRoute():
		_ = c.Forward(nil) // within a dialog: the way is in the message
	default:
		_ = c.RecordRoute(nil)
		if c.Forward(e.first) != nil {
			_ = c.Forward(e.second) // if that fails too, the proxy answers 503
		}
	}
}

func (edge) Response(c *proxy.Context) { c.RemoveHeader([]byte("Server")) }

// printer stands for the engine's worker here.
type printer struct{}

func (printer) Send(t *reactor.Target, m reactor.Appender) (reactor.Outcome, error) {
	var msg sipframe.Message
	if err := msg.Parse(m.AppendTo(nil)); err != nil {
		return 0, err
	}
	fmt.Printf("%s to %s:%v, %d hops left\n", msg.Bytes(msg.FirstLine()), t.Proto, t.Addr, hops(&msg))
	return reactor.Sent, nil
}

func (printer) Wait(f func()) bool { f(); return true }

func hops(m *sipframe.Message) int {
	n, _, _ := m.MaxForwards()
	return n
}

// With an engine it is reactor.New(cfg, p) that calls the proxy; here a Context
// is driven by hand.
func Example() {
	p, err := proxy.New(proxy.Config{ServerHeader: "edge"}, edge{
		first:  []byte("tls:203.0.113.1"),
		second: []byte("tls:203.0.113.2:5071"),
	})
	if err != nil {
		panic(err)
	}
	listener := &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5061")}
	p.SetSockets([]*reactor.Socket{listener})
	client := &reactor.Source{
		Conn: 1, Proto: reactor.TLS, Socket: listener, Local: listener.Addr,
		Remote: netip.MustParseAddrPort("198.51.100.7:40000"),
	}
	c := p.NewContext(printer{})
	c.Receive([]byte("INVITE sip:bob@example.com SIP/2.0\r\n"+
		"Via: SIP/2.0/TLS 198.51.100.7:40000;branch=z9hG4bK74b43\r\n"+
		"Max-Forwards: 70\r\n"+
		"From: <sip:alice@example.com>;tag=9fxced76sl\r\n"+
		"To: <sip:bob@example.com>\r\n"+
		"Call-ID: 3848276298220188511@198.51.100.7\r\n"+
		"CSeq: 2 INVITE\r\n"+
		"Content-Length: 0\r\n\r\n"), client)
	fmt.Println(p.Count(proxy.RequestsOut), "forwarded")
	// Output:
	// INVITE sip:bob@example.com SIP/2.0 to tls:203.0.113.1:5061, 69 hops left
	// 1 forwarded
}
