package reactor

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/peek"
)

// response makes a final response to a message of ours.
func response(code string, callID string) string {
	return "SIP/2.0 " + code + "\r\nCall-ID: " + callID + "\r\nContent-Length: 0\r\n\r\n"
}

// lateResponses is a Handler that answers nothing until it is told to.
type lateResponses struct {
	script
	gate chan struct{}
}

func newLateResponses() *lateResponses {
	s := &lateResponses{gate: make(chan struct{})}
	s.message = func(w *Worker, f *Frame) {
		if peek.IsACK(f.Data) {
			return
		}
		to := Target{Conn: f.Src.Conn}
		if strings.HasPrefix(string(f.Data), "INVITE") {
			_, _ = w.Send(&to, Bytes(response("180 Ringing", "x")))
		}
		go func() {
			<-s.gate
			_, _ = w.eng.Send(&to, Bytes(response("200 OK", "x")))
		}()
	}
	return s
}

// ways are how a client ends its half: TCP's FIN, TLS's close_notify, both, and by
// its first bytes already.
var ways = []struct {
	name  string
	proto Proto
	tls   uint16 // version
	end   func(c net.Conn) error
}{
	{"FIN on TCP", TCP, 0, func(c net.Conn) error { return c.(*net.TCPConn).CloseWrite() }},
	{"close_notify, TLS 1.2", TLS, tls.VersionTLS12, func(c net.Conn) error { return c.(*tls.Conn).CloseWrite() }},
	{"close_notify, TLS 1.3", TLS, tls.VersionTLS13, func(c net.Conn) error { return c.(*tls.Conn).CloseWrite() }},
	{"close_notify and FIN, TLS 1.2", TLS, tls.VersionTLS12, notifyAndFIN},
	{"close_notify and FIN, TLS 1.3", TLS, tls.VersionTLS13, notifyAndFIN},
	{"FIN without close_notify", TLS, tls.VersionTLS13, func(c net.Conn) error {
		return c.(*tls.Conn).NetConn().(*net.TCPConn).CloseWrite()
	}},
}

func notifyAndFIN(c net.Conn) error {
	t := c.(*tls.Conn)
	return errors.Join(t.CloseWrite(), t.NetConn().(*net.TCPConn).CloseWrite())
}

func waits(c *Config) { c.halfClosedTime = patience }

// client dials with a version of TLS.
func (r *rig) client(p Proto, version uint16) net.Conn {
	r.Helper()
	raw := r.raw(p)
	if p == TCP {
		return raw
	}
	c := tls.Client(raw, &tls.Config{RootCAs: r.ca, ServerName: "localhost", MinVersion: version, MaxVersion: version})
	if err := c.Handshake(); err != nil {
		r.Fatal(err)
	}
	return c
}

// A client that ends its half behind its requests gets their responses, and then
// our end.
func TestHalfClosedGetsItsResponses(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := newLateResponses()
			r := startWith(t, s, &s.script, waits)
			c := r.client(way.proto, way.tls)
			_, _ = io.WriteString(c, request("INVITE", "x", 1, "")+request("MESSAGE", "x", 2, ""))
			in := bufio.NewReader(c)
			if m, err := readMessage(in); !strings.HasPrefix(m, "SIP/2.0 180") {
				t.Fatalf("%q, %v", m, err)
			}
			if err := way.end(c); err != nil {
				t.Fatal(err)
			}
			r.eventually("it is half-closed", func() bool { return r.Stats().HalfClosed == 1 })
			close(s.gate)
			for range 2 {
				if m, err := readMessage(in); !strings.HasPrefix(m, "SIP/2.0 200") {
					t.Fatalf("%q, %v; closed with %v", m, err, r.seen.closes())
				}
			}
			if m, err := readMessage(in); m != "" || !errors.Is(err, io.EOF) {
				t.Errorf("behind the responses: %q, %v", m, err)
			}
			if reason := r.firstClose(); reason != PeerClosed {
				t.Errorf("closed with %v", reason)
			}
		})
	}
}

// A response that comes twice counts for no other request: who ended its half gets the answer of a slower one, too.
func TestHalfClosedAndRepeatedResponses(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		gate := make(chan struct{})
		ask := func(id string) string {
			return strings.Replace(request("MESSAGE", id, 1, ""), "\r\nMax-Forwards", id+";rport\r\nMax-Forwards", 1)
		}
		response := func(w *Worker, f *Frame) {
			_, via, _ := strings.Cut(string(f.Data), "\r\n")
			via, _, _ = strings.Cut(via, "\r\n")
			if _, err := w.Send(&Target{Conn: f.Src.Conn, Class: Final}, Bytes("SIP/2.0 200 OK\r\n"+via+";received=192.0.2.1\r\nContent-Length: 0\r\n\r\n")); err != nil {
				t.Error(err)
			}
		}
		r := start(t, &script{message: func(w *Worker, f *Frame) {
			if strings.Contains(string(f.Data), "Call-ID: slow\r") {
				w.Wait(func() { <-gate })
				response(w, f)
				return
			}
			for range 3 {
				response(w, f)
			}
		}}, waits)
		c := r.dial(p)
		for _, id := range []string{"slow", "quick"} {
			_, _ = io.WriteString(c, ask(id))
		}
		in := bufio.NewReader(c)
		if m, err := readMessage(in); !strings.Contains(m, "quick") {
			t.Fatalf("%q, %v", m, err)
		}
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		r.eventually("it is half-closed", func() bool { return r.Stats().HalfClosed == 1 || len(r.seen.closes()) > 0 })
		close(gate)
		for _, want := range []string{"quick", "quick", "slow"} {
			if m, err := readMessage(in); !strings.Contains(m, want) {
				t.Fatalf("%q, %v; closed with %v", m, err, r.seen.closes())
			}
		}
		if m, err := readMessage(in); m != "" || !errors.Is(err, io.EOF) {
			t.Errorf("behind the responses: %q, %v", m, err)
		}
	})
}

// A client may say all it has to say in one breath: the end of its handshake, a
// request, close_notify and FIN. The end then comes while the handshake is not
// done.
func TestHalfClosedWhileHandshaking(t *testing.T) {
	for _, inline := range []time.Duration{0, time.Second} {
		s := newLateResponses()
		r := startWith(t, s, &s.script, func(c *Config) { waits(c); c.InlineHandshake = inline })
		close(s.gate)
		for range 20 {
			raw := r.raw(TLS)
			held := &holdingConn{Conn: raw}
			c := tls.Client(&tailConn{holdingConn: held}, &tls.Config{RootCAs: r.ca, ServerName: "localhost", MinVersion: tls.VersionTLS13})
			if err := c.Handshake(); err != nil { // its last flight is held
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, request("MESSAGE", "x", 1, ""))
			_ = c.CloseWrite()
			_ = raw.SetDeadline(time.Now().Add(patience)) // CloseWrite let the one for writes pass
			if _, err := raw.Write(held.held.Bytes()); err != nil {
				t.Fatal(err)
			}
			_ = raw.(*net.TCPConn).CloseWrite()
			if m, err := readMessage(bufio.NewReader(c)); !strings.HasPrefix(m, "SIP/2.0 200") {
				t.Fatalf("%q, %v; closed with %v", m, err, r.seen.closes())
			}
		}
	}
}

// tailConn keeps what is written behind the first flight.
type tailConn struct {
	*holdingConn
}

func (c *tailConn) Write(p []byte) (int, error) {
	n, err := c.holdingConn.Write(p)
	c.hold = true
	return n, err
}

// With nothing under way the end of the peer's half is the end.
func TestHalfClosedWithNothingUnderWay(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := newLateResponses()
			close(s.gate)
			r := startWith(t, s, &s.script, waits)
			c := r.client(way.proto, way.tls)
			in := bufio.NewReader(c)
			_, _ = io.WriteString(c, request("MESSAGE", "x", 1, "")+request("ACK", "x", 1, ""))
			if m, err := readMessage(in); !strings.HasPrefix(m, "SIP/2.0 200") {
				t.Fatalf("%q, %v", m, err)
			}
			r.eventually("the ACK is there", func() bool { return r.Stats().MessagesIn == 2 })
			_ = way.end(c)
			if m, err := readMessage(in); m != "" || !errors.Is(err, io.EOF) {
				t.Errorf("%q, %v", m, err)
			}
			if reason := r.firstClose(); reason != PeerClosed || r.Stats().HalfClosed != 0 {
				t.Errorf("closed with %v, %d half-closed", reason, r.Stats().HalfClosed)
			}
		})
	}
}

// A request without a response keeps a half-closed connection for a while only, and
// the beginning of another one no longer.
func TestHalfClosedIsNotForEver(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := newLateResponses()
			r := startWith(t, s, &s.script, func(c *Config) { c.halfClosedTime = 50 * time.Millisecond })
			c := r.client(way.proto, way.tls)
			_, _ = io.WriteString(c, request("MESSAGE", "x", 1, "")+"MESSAGE sip:b")
			r.eventually("the request is there", func() bool { return r.Stats().MessagesIn == 1 })
			_ = way.end(c)
			r.eventually("it is closed", func() bool { return len(r.seen.closes()) == 1 })
			if e := r.seen.of(ConnClosed)[0].Err; e.Reason != PeerClosed || !strings.Contains(e.Detail, "no response") {
				t.Errorf("closed with %v", e)
			}
			close(s.gate)
		})
	}
}

// A peer that resets a half-closed connection has no use for responses: it ends.
func TestHalfClosedIsReset(t *testing.T) {
	s := newLateResponses()
	r := startWith(t, s, &s.script, func(c *Config) { c.halfClosedTime = time.Hour })
	c := r.client(TCP, 0)
	_, _ = io.WriteString(c, request("MESSAGE", "x", 1, ""))
	r.eventually("the request is there", func() bool { return r.Stats().MessagesIn == 1 })
	tc := c.(*net.TCPConn)
	_ = tc.CloseWrite()
	r.eventually("it is half-closed", func() bool { return r.Stats().HalfClosed == 1 })
	_ = tc.SetLinger(0)
	_ = tc.Close()
	if reason := r.firstClose(); reason != ReadError {
		t.Errorf("closed with %v", reason)
	}
	close(s.gate)
}

// A half-closed connection takes responses only: senders do not find it, and a
// request that names it goes elsewhere.
func TestHalfClosedTakesResponses(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := newLateResponses()
			r := startWith(t, s, &s.script, waits)
			c := r.client(way.proto, way.tls)
			_, _ = io.WriteString(c, request("MESSAGE", "x", 1, ""))
			r.eventually("the request is there", func() bool { return r.Stats().MessagesIn == 1 })
			h := r.only()
			there := c.LocalAddr().(*net.TCPAddr).AddrPort()
			if err := r.AddAlias(h, 5099); err != nil {
				t.Fatal(err)
			}
			_ = way.end(c)
			r.eventually("it is half-closed", func() bool { return r.Stats().HalfClosed == 1 })
			m := Bytes(request("OPTIONS", "y", 1, ""))
			for name, to := range map[string]Target{
				"by id":      {Conn: h, NoNew: true},
				"by address": {Proto: way.proto, Addr: there, NoNew: true},
				"by alias":   {Proto: way.proto, Addr: netipPort(there, 5099), NoNew: true},
			} {
				if way.proto == TLS {
					to.Name = "localhost"
				}
				var e *Error
				if _, err := r.Send(&to, m); !errors.As(err, &e) || e.Reason != NoConnection {
					t.Errorf("%s: %v", name, err)
				}
			}
			close(s.gate)
			if m, err := readMessage(bufio.NewReader(c)); !strings.HasPrefix(m, "SIP/2.0 200") {
				t.Fatalf("%q, %v", m, err)
			}
		})
	}
}

// Many connections that end so leave no descriptor behind.
func TestHalfClosedLeavesNothing(t *testing.T) {
	s := newLateResponses()
	close(s.gate)
	r := startWith(t, s, &s.script, waits)
	before := sockets()
	for i := range 200 {
		way := ways[i%len(ways)]
		c := r.client(way.proto, way.tls)
		_, _ = io.WriteString(c, request("MESSAGE", "x", 1, ""))
		_ = way.end(c)
		if m, err := readMessage(bufio.NewReader(c)); !strings.HasPrefix(m, "SIP/2.0 200") {
			t.Fatalf("%s: %q, %v", way.name, m, err)
		}
		c.Close()
	}
	r.eventually("all sockets are closed", func() bool { return sockets() <= before })
}

func netipPort(a netip.AddrPort, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr(), port)
}
