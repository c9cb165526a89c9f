package reactor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

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
