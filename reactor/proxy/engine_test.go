package proxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/sipframe"
	"sipreactor/tlsstate/tlstest"
)

// from is the Via of a client on a connection.
func from(c net.Conn, branch string) string {
	return "Via: SIP/2.0/TLS " + c.LocalAddr().String() + ";branch=" + branch
}

// A call, TLS on both legs: INVITE, 180, 200, ACK and BYE, with Record-Route.
func TestCallOverTLS(t *testing.T) {
	l := run(t, funcs{request: func(c *Context) {
		if !c.LooseRoute() && c.Msg.Method() == sipframe.INVITE {
			_ = c.RecordRoute(nil)
		}
		_ = c.Forward(nil)
	}})
	s := l.serve()
	caller := l.dial()
	var callee *peer
	for call := range 3 {
		id := fmt.Sprintf("Call-ID: call%d", call)
		caller.say(request("INVITE", s.uri(), from(caller, "z9hG4bKinvite"), id))
		if callee == nil {
			callee = s.accept() // one connection carries all calls
		}
		req := callee.expect("INVITE " + s.uri())
		rr := header(t, req, "Record-Route")
		if want := "<sip:" + l.at(reactor.TLS) + ";transport=tls;lr>"; rr != want {
			t.Errorf("Record-Route %s, want %s", rr, want)
		}
		callee.say(answer(t, req, "180 Ringing") + answer(t, req, "200 OK"))
		caller.expect("SIP/2.0 180 ")
		ok := caller.expect("SIP/2.0 200 ")
		if len(headers(t, ok, "Via")) != 1 || header(t, ok, "Record-Route") != rr {
			t.Errorf("200: %s", ok)
		}
		to := "To: " + header(t, ok, "To")
		for _, method := range []string{"ACK", "BYE"} {
			caller.say(request(method, s.uri(), from(caller, "z9hG4bK"+method), id, to, "+Route: "+rr))
			in := callee.expect(method + " " + s.uri())
			if len(headers(t, in, "Route")) != 0 {
				t.Errorf("our Route is still there: %s", in)
			}
			if method == "BYE" {
				callee.say(answer(t, in, "200 OK"))
				caller.expect("SIP/2.0 200 ")
			}
		}
	}
	l.counted(RequestsOut, 9)
}

// Each response reaches the connection that its request came by, though
// everything that the peers say of themselves is equal.
func TestResponsesKeepApart(t *testing.T) {
	l := run(t, funcs{})
	s := l.serve()
	var clients [8]*peer
	var callee *peer
	for i := range clients {
		clients[i] = l.dial()
		clients[i].say(request("MESSAGE", s.uri(), "Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKsame", fmt.Sprintf("+Subject: %d", i)))
		if callee == nil {
			callee = s.accept()
		}
	}
	for range clients {
		req := callee.expect("MESSAGE ")
		callee.say(answer(t, req, "200 "+header(t, req, "Subject")))
	}
	for i, c := range clients {
		c.expect(fmt.Sprintf("SIP/2.0 200 %d\r\n", i))
	}
}

// A destination that refuses is answered 503, or the next one is tried.
func TestRefusedDestination(t *testing.T) {
	nobody := tlstest.Refusing(t).String()
	var second string
	l := run(t, funcs{request: func(c *Context) {
		if c.Forward([]byte("tls:"+nobody)) != nil && c.HasToTag() {
			_ = c.Forward([]byte(second))
		}
	}})
	s := l.serve()
	second = s.uri()
	caller := l.dial()
	caller.say(request("OPTIONS", "sip:x@y", from(caller, "z9hG4bK1")))
	caller.expect("SIP/2.0 503 Service Unavailable\r\n")
	caller.say(request("OPTIONS", "sip:x@y", from(caller, "z9hG4bK2"), inside))
	s.accept().expect("OPTIONS sip:x@y ")
}

// A destination that takes the connection and never speaks TLS: the message is
// parked, the handshake fails later, and the answer is a 503 all the same.
func TestSilentDestination(t *testing.T) {
	l := run(t, funcs{}, func(c *reactor.Config) {
		c.TLS.LocalHandshakeTimeout = time.Millisecond
		c.TLS.HandshakeTimeout = 50 * time.Millisecond
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	uri := "sip:bob@" + ln.Addr().String() + ";transport=tls"
	caller := newPeer(t, mustDial(t, l.at(reactor.TCP)))
	caller.say(request("INVITE", uri, from(caller, "z9hG4bKsilent")))
	busy := caller.expect("SIP/2.0 503 Service Unavailable\r\n")
	caller.say(request("ACK", uri, from(caller, "z9hG4bKsilent"), "To: "+header(t, busy, "To")))
	caller.say(request("OPTIONS", "sip:127.0.0.1", from(caller, "z9hG4bKzero"), "Max-Forwards: 0"))
	caller.expect("SIP/2.0 483 ")
	l.counted(RequestsUndelivered, 1)
	l.counted(AcksAbsorbed, 1)
}

func mustDial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A stream that loses its framing is answered, then closed.
func TestMissingLength(t *testing.T) {
	l := run(t, funcs{})
	c := l.dial()
	c.say(strings.Replace(request("OPTIONS", "sip:127.0.0.1", from(c, "z9hG4bK1")), "Content-Length: 0\r\n", "", 1))
	c.expect("SIP/2.0 400 Missing Content-Length\r\n")
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(c.buf); err != io.EOF {
		t.Errorf("read %d bytes, error %v", n, err)
	}
}

// RFC 3261 18.2.2: the client's connection is gone when the response comes; it
// goes to the port that the client's Via names.
func TestClientGone(t *testing.T) {
	l := run(t, funcs{})
	s, home := l.serve(), l.serve()
	caller := l.dial()
	caller.say(request("MESSAGE", s.uri(), "Via: SIP/2.0/TLS "+home.Addr().String()+";branch=z9hG4bKgone"))
	callee := s.accept()
	req := callee.expect("MESSAGE ")
	raw := caller.Conn.(*tls.Conn).NetConn().(*net.TCPConn)
	_ = raw.SetLinger(0) // one that only says that it sends no more is kept for its answer
	raw.Close()
	// The engine has seen the end when it answers nobody any more.
	for l.engine.Stats().Connections > 1 {
		time.Sleep(time.Millisecond)
	}
	callee.say(answer(t, req, "200 OK"))
	home.accept().expect("SIP/2.0 200 OK\r\n")
}

// A request that the engine sends to itself goes round once more and is then a
// loop; the answer finds its way through all of it.
func TestLoopThroughEngine(t *testing.T) {
	l := run(t, funcs{})
	c := l.dial()
	c.say(request("OPTIONS", "sip:bob@"+l.at(reactor.TLS)+";transport=tls", from(c, "z9hG4bK1")))
	r := c.expect("SIP/2.0 482 Loop Detected\r\n")
	if len(headers(t, r, "Via")) != 1 {
		t.Errorf("%s", r)
	}
	l.counted(Loops, 1)
}

func TestUDPToTLS(t *testing.T) {
	l := run(t, funcs{request: func(c *Context) { _ = c.RecordRoute(nil); _ = c.Forward(nil) }})
	s := l.serve()
	c, err := net.Dial("udp", l.at(reactor.UDP))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text := request("MESSAGE", s.uri(), "Via: SIP/2.0/UDP 10.1.2.3;rport;branch=z9hG4bKudp")
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	callee := s.accept()
	req := callee.expect("MESSAGE ")
	want := []string{"<sip:" + l.at(reactor.TLS) + ";transport=tls;r2=on;lr>", "<sip:" + l.at(reactor.UDP) + ";r2=on;lr>"}
	if got := headers(t, req, "Record-Route"); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("Record-Routes %q, want %q", got, want)
	}
	callee.say(answer(t, req, "200 OK"))
	_ = c.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 65536)
	n, err := c.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 200 OK\r\n") {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	if via := header(t, string(buf[:n]), "Via"); !strings.Contains(via, ";received=127.0.0.1") || !strings.Contains(via, ";rport=") {
		t.Errorf("Via %s", via)
	}
}

// A forged response is dropped; the connection it came by goes on.
func TestForgedResponseOverTLS(t *testing.T) {
	l := run(t, funcs{})
	s := l.serve()
	caller := l.dial()
	caller.say(request("MESSAGE", s.uri(), from(caller, "z9hG4bK1")))
	callee := s.accept()
	req := callee.expect("MESSAGE ")
	via := headers(t, req, "Via")[0]
	branch, _, _ := strings.Cut(via, ";at=")
	callee.say(strings.Replace(answer(t, req, "200 Forged"), branch, flip(branch), 1) + answer(t, req, "200 True"))
	caller.expect("SIP/2.0 200 True\r\n")
	l.counted(ResponsesForeign, 1)
}

// A response that reaches another life of the proxy, which knows nothing of the
// request's connection, goes to the port that the client listens on; one under
// another secret goes nowhere.
func TestResponseInAnotherLife(t *testing.T) {
	key := [32]byte{7}
	before := runWith(t, funcs{}, Config{Key: &key})
	names := Config{MyDomains: []string{before.at(reactor.TLS)}, Key: &key} // one address for all lives
	after := runWith(t, funcs{}, names)
	names.Key = &[32]byte{8}
	stranger := runWith(t, funcs{}, names)
	s, home := before.serve(), after.serve()
	caller := before.dial()
	via := "Via: SIP/2.0/TLS " + home.Addr().String() + ";branch=z9hG4bKlong"
	caller.say(request("MESSAGE", s.uri(), via))
	req := s.accept().expect("MESSAGE ")
	stranger.dial().say(answer(t, req, "200 Strange"))
	stranger.counted(ResponsesForeign, 1)
	after.dial().say(answer(t, req, "200 Late"))
	home.accept().expect("SIP/2.0 200 Late\r\n")
	after.counted(ResponsesOut, 1)
}
