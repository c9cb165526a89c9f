package reactor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// startWeb runs an engine with a ws and a wss socket.
func startWeb(t testing.TB, s *script, change func(*Config)) *rig {
	t.Helper()
	return start(t, s, func(c *Config) {
		c.Sockets = []SocketConfig{
			{Proto: WS, Addr: netip.MustParseAddrPort("127.0.0.1:0")},
			{Proto: WSS, Addr: netip.MustParseAddrPort("127.0.0.1:0")},
		}
		if change != nil {
			change(c)
		}
	})
}

// bothWebs runs a test over ws and over wss: it is the same code.
func bothWebs(t *testing.T, f func(t *testing.T, p Proto)) {
	for _, p := range []Proto{WS, WSS} {
		t.Run(p.String(), func(t *testing.T) { f(t, p) })
	}
}

// browser is a client of gobwas/ws.
type browser struct {
	net.Conn
	t    testing.TB
	read *bufio.Reader
}

// browse connects a client and has it upgraded.
func (r *rig) browse(p Proto) *browser {
	r.Helper()
	b := &browser{Conn: r.dial(p), t: r.TB}
	at := &url.URL{Scheme: p.String(), Host: "localhost", Path: "/"}
	buffered, _, err := ws.Dialer{Protocols: []string{"sip"}}.Upgrade(b.Conn, at)
	if err != nil {
		r.Fatalf("upgrade: %v", err)
	}
	if b.read = buffered; buffered == nil {
		b.read = bufio.NewReader(b.Conn)
	}
	return b
}

// say sends a frame, masked.
func (b *browser) say(op ws.OpCode, fin bool, payload string) {
	_ = ws.WriteFrame(b.Conn, ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload))))
}

// hears expects a frame.
func (b *browser) hears(op ws.OpCode, payload string) {
	b.t.Helper()
	f, err := ws.ReadFrame(b.read)
	if err != nil || f.Header.OpCode != op || f.Header.Masked || !f.Header.Fin || string(f.Payload) != payload {
		b.t.Fatalf("%+v %q, %v, want %q", f.Header, f.Payload, err, payload)
	}
}

// closed expects a close frame with a code, and then the end.
func (b *browser) closed(code ws.StatusCode) {
	b.t.Helper()
	f, err := ws.ReadFrame(b.read)
	if err != nil || f.Header.OpCode != ws.OpClose || len(f.Payload) < 2 || ws.StatusCode(binary.BigEndian.Uint16(f.Payload)) != code {
		b.t.Fatalf("%+v %x, %v, want the code %d", f.Header, f.Payload, err, code)
	}
	if rest, err := io.ReadAll(b.read); len(rest) > 0 || err != nil {
		b.t.Fatalf("behind the close frame: %q, %v", rest, err)
	}
}

// webRequest is a message as a browser's program sends it: without a length.
func webRequest(method, callID string, seq int, body string) string {
	m := strings.Replace(request(method, callID, seq, body), "SIP/2.0/TLS 127.0.0.1", "SIP/2.0/WS df7jal23ls0d.invalid", 1)
	return strings.Replace(m, fmt.Sprintf("Content-Length: %d\r\n", len(body)), "", 1)
}

// Messages pass both ways, one a frame, as text, or as binary where they are none;
// fragments are put together; pings are answered between all of it, and the peer's
// close is.
func TestWebSocket(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, nil)
		b := r.browse(p)
		long := webRequest("MESSAGE", "long", 1, strings.Repeat("x", 40000))
		binary := webRequest("MESSAGE", "binary", 1, "\xff\xfe")
		text := webRequest("MESSAGE", "text", 1, "gr\u00fc\u00dfe")
		b.say(ws.OpText, true, text)
		b.hears(ws.OpText, text)
		b.say(ws.OpBinary, true, binary)
		b.hears(ws.OpBinary, binary)
		b.say(ws.OpBinary, true, long)
		b.hears(ws.OpText, long)
		b.say(ws.OpPing, true, "are you there")
		b.hears(ws.OpPong, "are you there")
		b.say(ws.OpText, true, "\r\n\r\n")
		b.hears(ws.OpText, "\r\n")
		b.say(ws.OpText, false, long[:30000])
		b.say(ws.OpContinuation, false, "")
		b.say(ws.OpPing, true, "")
		b.hears(ws.OpPong, "")
		b.say(ws.OpContinuation, true, long[30000:])
		b.hears(ws.OpText, long)
		b.say(ws.OpClose, true, "\x03\xe9")
		b.closed(ws.StatusGoingAway)
		r.eventually("its end is told", func() bool { return len(r.seen.of(ConnClosed)) == 1 })
		end := r.seen.of(ConnClosed)[0]
		if end.Err.Reason != PeerClosed || end.Err.Detail != "close 1001" || end.Was != PhaseEstablished {
			t.Errorf("%v in %v", end.Err, end.Was)
		}
		up := r.seen.of(ConnEstablished)[0]
		if !strings.HasPrefix(up.Request, "GET /") || !strings.Contains(up.Request, "\r\nSec-WebSocket-Protocol: sip") || !strings.HasPrefix(up.Answer, "HTTP/1.1 101 ") {
			t.Errorf("the handshake is told as\n%s\n%s", up.Request, up.Answer)
		}
		if st := r.Stats(); up.Src.Proto != p || (up.TLS != nil) != (p == WSS) || st.MessagesIn != 4 || st.MessagesOut != 4 || st.Pings != 3 {
			t.Errorf("%+v, TLS %v, %d in, %d out, %d pings", up.Src, up.TLS, st.MessagesIn, st.MessagesOut, st.Pings)
		}
	})
}

// However the bytes come, they are the same messages: the handshake with frames right
// behind it, byte by byte.
func TestWebSocketByteByByte(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, func(c *Config) { c.WS.MaxChunks, c.WSS.MaxChunks = 0, 0 })
		c, in := r.dial(p), new(bytes.Buffer)
		in.WriteString("GET /sip HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n" +
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
		m := webRequest("MESSAGE", "bytes", 1, "x")
		_ = ws.WriteFrame(in, ws.MaskFrame(ws.NewPingFrame([]byte("ping"))))
		_ = ws.WriteFrame(in, ws.MaskFrame(ws.NewTextFrame([]byte(m))))
		go func() {
			for _, one := range in.Bytes() {
				_, _ = c.Write([]byte{one})
			}
		}()
		b := &browser{Conn: c, t: t, read: bufio.NewReader(c)}
		head, err := readHead(b.read)
		if err != nil || !strings.HasPrefix(head, "HTTP/1.1 101 ") {
			t.Fatalf("%q, %v", head, err)
		}
		for want := map[string]bool{"ping": true, m: true}; len(want) > 0; { // in either order
			f, err := ws.ReadFrame(b.read)
			if err != nil || !want[string(f.Payload)] || (f.Header.OpCode == ws.OpPong) != (string(f.Payload) == "ping") {
				t.Fatalf("%+v %q, %v", f.Header, f.Payload, err)
			}
			delete(want, string(f.Payload))
		}
	})
}

// readHead reads an HTTP response up to its empty line.
func readHead(r *bufio.Reader) (head string, err error) {
	for err == nil && !strings.HasSuffix(head, "\r\n\r\n") {
		var line string
		line, err = r.ReadString('\n')
		head += line
	}
	return head, err
}

// Whoever speaks no WebSocket is told so and goes, at the cost of its own connection.
func TestNoWebSocket(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, func(c *Config) {
			for _, s := range []*StreamConfig{&c.WS, &c.WSS} {
				s.Web.RequireOrigin, s.Web.Origins = true, []string{"https://phone.example.com"}
			}
		})
		const head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		const good = head + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n"
		for i, tc := range []struct{ says, hears, why string }{
			{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", "Upgrade"},
			{head + "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 8\r\n\r\n", "HTTP/1.1 426 ", "Sec-WebSocket-Version"},
			{head + "Sec-WebSocket-Version: 13\r\n\r\n", "HTTP/1.1 400 ", "subprotocol sip is not offered"},
			{good + "\r\n", "HTTP/1.1 403 ", "no origin"},
			{good + "Origin: https://evil.example.com\r\n\r\n", "HTTP/1.1 403 ", "origin refused"},
			{good + strings.Repeat("Cookie: a\r\n", 2000), "HTTP/1.1 431 ", "head too large"},
			{request("OPTIONS", "sip", 1, ""), "HTTP/1.1 400 ", "not HTTP"},
		} {
			c := r.dial(p)
			_, _ = c.Write([]byte(tc.says))
			answer, err := io.ReadAll(c)
			if !strings.HasPrefix(string(answer), tc.hears) || err != nil {
				t.Errorf("%.40q: %q, %v", tc.says, answer, err)
			}
			r.eventually("its end is told", func() bool { return len(r.seen.of(ConnClosed)) == i+1 })
			end := r.seen.of(ConnClosed)[i]
			if end.Err.Reason != HandshakeFailed || end.Err.Blame != BlamePeer || !strings.Contains(end.Err.Detail, tc.why) || end.Was != PhaseHandshaking {
				t.Errorf("%.40q: %+v in %v, want %s", tc.says, end.Err, end.Was, tc.why)
			}
		}
		if st := r.Stats(); st.HandshakesIn.Failed[HandshakeFailed] != 7 || st.HandshakeDefects["no origin"] != 1 {
			t.Errorf("%+v, %v", st.HandshakesIn, st.HandshakeDefects)
		}
	})
}

// A request that does not come to its end costs its connection when its time is
// over, however many bytes it trickles, and nobody else waits for that.
func TestSlowUpgrade(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, func(c *Config) {
			c.stream(p).Web.AcceptTimeout = 300 * time.Millisecond
		})
		slow := r.dial(p)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			for _, err := slow.Write([]byte("GET / HTTP/1.1\r\n")); err == nil; _, err = slow.Write([]byte("X")) {
				time.Sleep(time.Millisecond)
			}
		}()
		if reason := r.firstClose(); reason != HandshakeTimeout {
			t.Errorf("closed with %v", reason)
		}
		if detail := r.seen.of(ConnClosed)[0].Err.Detail; !strings.Contains(detail, p.String()+"_accept_timeout") {
			t.Error(detail)
		}
		<-gone
	})
}

// What a peer may not send ends its connection with the code for it.
func TestWebSocketHostile(t *testing.T) {
	m := webRequest("MESSAGE", "hostile", 1, "x")
	masked := func(op ws.OpCode, fin bool, payload string) []byte {
		return ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload))))
	}
	without := ws.MustCompileFrame(ws.NewTextFrame([]byte(m)))
	reserved := masked(ws.OpText, true, m)
	reserved[0] |= 0x40
	for name, tc := range map[string]struct {
		says   []byte
		code   ws.StatusCode
		reason Reason
	}{
		"no mask":                {without, ws.StatusProtocolError, MalformedMessage},
		"reserved bits":          {reserved, ws.StatusProtocolError, MalformedMessage},
		"a message within one":   {append(masked(ws.OpText, false, m), masked(ws.OpText, true, m)...), ws.StatusProtocolError, MalformedMessage},
		"a reserved kind":        {masked(ws.OpCode(3), true, m), ws.StatusProtocolError, MalformedMessage},
		"a reserved control":     {masked(ws.OpCode(11), true, ""), ws.StatusProtocolError, MalformedMessage},
		"a ping in fragments":    {masked(ws.OpPing, false, "p"), ws.StatusProtocolError, MalformedMessage},
		"a fragment of nothing":  {masked(ws.OpContinuation, true, m), ws.StatusProtocolError, MalformedMessage},
		"a code of nobody":       {masked(ws.OpClose, true, "\x03\xed"), ws.StatusProtocolError, PeerClosed},
		"half a code":            {masked(ws.OpClose, true, "\x03"), ws.StatusProtocolError, PeerClosed},
		"no SIP in binary":       {masked(ws.OpBinary, true, "\x00\x01\x02\xff"), ws.StatusInvalidFramePayloadData, MalformedMessage},
		"a large ping":           {masked(ws.OpPing, true, strings.Repeat("p", 126)), ws.StatusProtocolError, MalformedMessage},
		"an announced terabyte":  {[]byte{0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4}, ws.StatusMessageTooBig, MessageTooLarge},
		"no text":                {masked(ws.OpText, true, m+"\xff"), ws.StatusInvalidFramePayloadData, MalformedMessage},
		"two messages":           {masked(ws.OpText, true, strings.Repeat(request("MESSAGE", "two", 1, ""), 2)), ws.StatusInvalidFramePayloadData, MalformedMessage},
		"half a message":         {masked(ws.OpText, true, m[:60]), ws.StatusInvalidFramePayloadData, MalformedMessage},
		"no end of fragments":    {append(masked(ws.OpText, false, m), bytes.Repeat(masked(ws.OpContinuation, false, ""), 200)...), ws.StatusPolicyViolation, MessageTimeout},
		"too much in fragments":  {append(masked(ws.OpText, false, m), bytes.Repeat(masked(ws.OpContinuation, false, strings.Repeat("x", 1000)), 70)...), ws.StatusMessageTooBig, MessageTooLarge},
		"a head that ends early": {[]byte{0x81, 0xff, 0, 0}, ws.StatusPolicyViolation, MessageTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			r := startWeb(t, &script{message: echo}, func(c *Config) {
				if tc.reason == MessageTimeout {
					c.MaxMessageTime = 50 * time.Millisecond
				}
			})
			b := r.browse(WS)
			r.established(b.Conn)
			_, _ = b.Write(tc.says)
			for { // a request that may be answered is
				head, err := b.read.Peek(1)
				if err != nil || head[0] == 0x88 {
					break
				}
				if f, err := ws.ReadFrame(b.read); err != nil || !strings.HasPrefix(string(f.Payload), "SIP/2.0 400 ") {
					t.Fatalf("%q, %v", f.Payload, err)
				}
			}
			b.closed(tc.code)
			if reason := r.firstClose(); reason != tc.reason {
				t.Errorf("closed with %v, want %v", reason, tc.reason)
			}
		})
	}
}

// Who floods with pings and reads no answer costs no more than its connection, and others nothing.
func TestPingFlood(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, nil)
		b, other := r.browse(p), r.browse(p)
		_ = b.SetWriteDeadline(time.Now().Add(20 * time.Second))
		flood := bytes.Repeat(ws.MustCompileFrame(ws.MaskFrame(ws.NewPingFrame(bytes.Repeat([]byte("p"), 125)))), 1000)
		done := make(chan int)
		go func() {
			n := 0
			for ; n < 200 && r.alive(); n++ { // 26 MB
				if _, err := b.Write(flood); err != nil {
					break
				}
			}
			done <- n
		}()
		m := webRequest("MESSAGE", "other", 1, "x")
		for range 20 {
			other.say(ws.OpText, true, m)
			other.hears(ws.OpText, m)
		}
		n := <-done
		if st := r.Stats(); st.BytesOut > st.BytesIn/4 {
			t.Errorf("%d thousand pings, %d bytes, were answered by %d bytes that nobody reads", n, st.BytesIn, st.BytesOut)
		}
		other.say(ws.OpText, true, m)
		other.hears(ws.OpText, m)
	})
}

// Pings that come in pieces are no message in pieces.
func TestPingsInPieces(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, func(c *Config) { c.stream(p).MaxChunks = 2 })
		b := r.browse(p)
		r.established(b.Conn)
		ping := ws.MustCompileFrame(ws.MaskFrame(ws.NewPingFrame([]byte("piece"))))
		for range 4 {
			before := r.Stats().BytesIn
			_, _ = b.Write(ping[:3])
			r.eventually("it is read", func() bool { return r.Stats().BytesIn > before })
			_, _ = b.Write(ping[3:])
			b.hears(ws.OpPong, "piece")
		}
	})
}

// A message that comes in too many chunks is too much for WebSocket, too, in one
// frame and in fragments.
func TestWebSocketChunks(t *testing.T) {
	m := webRequest("MESSAGE", "chunks", 1, "x")
	whole := ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(m))))
	for name, cut := range map[string]func(i int) []byte{
		"one frame": func(i int) []byte { return whole[i*20 : i*20+20] },
		"fragments": func(i int) []byte {
			op := ws.OpContinuation
			if i == 0 {
				op = ws.OpText
			}
			return ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, false, []byte(m[i*20:i*20+20]))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := startWeb(t, &script{message: echo}, func(c *Config) { c.WS.MaxChunks = 3 })
			b := r.browse(WS)
			r.established(b.Conn)
			for i := range 3 {
				before := r.Stats().BytesIn
				_, _ = b.Write(cut(i))
				r.eventually("it is read", func() bool { return r.Stats().BytesIn > before || !r.alive() })
			}
			b.closed(ws.StatusPolicyViolation)
			if reason := r.firstClose(); reason != TooManyChunks {
				t.Errorf("closed with %v", reason)
			}
		})
	}
}

// Who is connected when we stop is told that we go away.
func TestWebSocketGoingAway(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, nil)
		b := r.browse(p)
		r.established(b.Conn)
		done := make(chan error, 1)
		go func() { done <- r.Stop(context.Background()) }()
		b.closed(ws.StatusGoingAway)
		b.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Who says nothing for its lifetime is told the same.
func TestWebSocketIdle(t *testing.T) {
	r := startWeb(t, &script{message: echo}, func(c *Config) { c.Lifetime = time.Second })
	b := r.browse(WS)
	b.closed(ws.StatusGoingAway)
	if reason := r.firstClose(); reason != IdleTimeout {
		t.Errorf("closed with %v", reason)
	}
}

// The bounds of a source hold for handshakes of WebSocket as for those of TLS.
func TestWebSocketSourceLimits(t *testing.T) {
	r := startWeb(t, &script{message: echo}, func(c *Config) { c.Sources = SourceLimits{Handshakes: 2} })
	for i := range 2 {
		c := r.dial(WS)
		_, _ = c.Write([]byte("GET / "))
		r.eventually("it is accepted", func() bool { return r.Stats().Accepted == uint64(i+1) })
	}
	c := r.dial(WS)
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("one more: %v", err)
	}
	r.eventually("it is counted", func() bool { return r.Stats().RefusedFor[RefusedSourceHandshakes] == 1 })
}

// Two engines talk: one dial for many messages, answers back on the same connection,
// and what is sent is masked.
func TestWebSocketOutbound(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		to := startWeb(t, &script{message: echo}, func(c *Config) {
			c.stream(p).Web.RequireOrigin = true
		})
		inbox := &script{}
		from := startWeb(t, inbox, func(c *Config) { c.stream(p).Web.Resource = "/sip?a=b" })
		for i := range 5 {
			if _, err := from.Send(from.target(p, to), Bytes(webRequest("MESSAGE", fmt.Sprint(i), 1, strings.Repeat("m", 15000*i)))); err != nil {
				t.Fatal(err)
			}
		}
		from.eventually("all come back", func() bool { return len(inbox.got()) == 5 })
		if st := from.Stats(); st.Dials != 1 {
			t.Errorf("%d dials", st.Dials)
		}
		if up := from.seen.of(ConnEstablished); len(up) != 1 || !up[0].Src.Outbound || up[0].Src.Proto != p {
			t.Errorf("%+v", up)
		}
	})
}

// Nobody dials a browser that is gone: it does not listen (RFC 7118 5).
func TestWebSocketVisitor(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, nil)
		b := r.browse(p)
		r.established(b.Conn)
		at := b.LocalAddr().(*net.TCPAddr).AddrPort()
		b.Close()
		r.eventually("it is over", func() bool { return r.Stats().Connections == 0 })
		for _, proto := range []Proto{p, WS} { // transport=ws says WebSocket, over TLS as well
			_, err := r.Send(&Target{Proto: proto, Addr: at}, Bytes(webRequest("MESSAGE", "gone", 1, "")))
			var e *Error
			if !errors.As(err, &e) || e.Reason != NoConnection {
				t.Errorf("%v: %v", proto, err)
			}
		}
		if st := r.Stats(); st.Dials != 0 || len(r.Backoff()) != 0 {
			t.Errorf("%d dials, left alone %v", st.Dials, r.Backoff())
		}
	})
}

// A server that refuses is the sender's to know, at once, and nothing is sent to it.
func TestWebSocketRefused(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		to := startWeb(t, &script{message: echo}, func(c *Config) {
			c.stream(p).Web.Origins = []string{"https://phone.example.com"}
		})
		from := startWeb(t, &script{}, nil)
		_, err := from.Send(from.target(p, to), Bytes(webRequest("MESSAGE", "refused", 1, "")))
		var why *Error
		if !errors.As(err, &why) || why.Reason != HandshakeFailed || !strings.Contains(why.Detail, "403") {
			t.Errorf("%v", err)
		}
	})
}
