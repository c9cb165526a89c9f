package reactor

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

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

// Who says nothing for its lifetime is told the same.
func TestWebSocketIdle(t *testing.T) {
	r := startWeb(t, &script{message: echo}, func(c *Config) { c.Lifetime = 3 * time.Second }) // more than the upgrade takes
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
