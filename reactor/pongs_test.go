package reactor

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// readIn waits until the engine has read what is sent.
func (r *rig) readIn(c net.Conn, text string) {
	r.Helper()
	in := r.Stats().BytesIn
	_, _ = io.WriteString(c, text)
	r.eventually("it is read", func() bool { return r.Stats().BytesIn > in || !r.alive() })
}

// Pings before a message are no pieces of it, whichever read they come in.
func TestPingIsNoChunk(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, func(c *Config) { c.stream(p).MaxChunks = 3 })
		c := r.dial(p)
		in := bufio.NewReader(c)
		m := request("MESSAGE", "x", 1, "x")
		for _, ping := range []string{"\r\n\r\n", "\r\n", "\r\n\r\n\r\n\r\n"} {
			r.readIn(c, ping+m[:20]) // a chunk
			r.readIn(c, m[20:40])    // another
			r.readIn(c, m[40:]+ping) // and the ping behind it is none of the next
			got := ""
			for range 3 * len(ping) / 4 {
				line, err := in.ReadString('\n')
				if err != nil {
					t.Fatalf("%q: %v; closed with %v", ping, err, r.seen.closes())
				}
				if got += line; strings.HasPrefix(line, "MESSAGE ") {
					break
				}
			}
			if rest, err := readMessage(in); !strings.HasSuffix(m, rest) || err != nil || !strings.Contains(got, "MESSAGE ") {
				t.Fatalf("%q: %q, %q, %v", ping, got, rest, err)
			}
		}
	})
}

// Pings and pongs of WebSocket between the fragments of a message are no pieces of it, and fragments are.
func TestWebPingIsNoChunk(t *testing.T) {
	bothWebs(t, func(t *testing.T, p Proto) {
		r := startWeb(t, &script{message: echo}, func(c *Config) { c.stream(p).MaxChunks = 3 })
		b := r.browse(p)
		say := func(op ws.OpCode, fin bool, payload string) { // in one record
			whole, err := ws.CompileFrame(ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload))))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = b.Write(whole)
		}
		m := webRequest("MESSAGE", "x", 1, "x")
		for range 3 {
			say(ws.OpText, false, m[:10])
			for range 5 {
				say(ws.OpPong, true, "unasked")
				say(ws.OpPing, true, "between")
				b.hears(ws.OpPong, "between")
			}
			say(ws.OpContinuation, false, m[10:20])
			for range 5 {
				say(ws.OpPing, true, "")
				b.hears(ws.OpPong, "")
			}
			say(ws.OpContinuation, true, m[20:])
			b.hears(ws.OpText, m)
		}
		say(ws.OpText, false, m[:10])
		for i := range 2 {
			say(ws.OpPing, true, "")
			b.hears(ws.OpPong, "")
			say(ws.OpContinuation, false, m[10+i:11+i])
		}
		b.closed(ws.StatusPolicyViolation)
		if why := r.firstClose(); why != TooManyChunks {
			t.Errorf("closed with %v", why)
		}
	})
}

// An answer to a ping that waits for a slow reader takes no message's place, and one waits, however many pings there are.
func TestPongIsNoPostponedChunk(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{}, func(c *Config) { c.stream(p).MaxPostponed = 2 })
		c := r.dialNarrow(p)
		h := r.only()
		big := Bytes(strings.Repeat("m", 60<<10))
		for sent := uint64(0); r.Stats().Blocked == 0; {
			if _, err := r.Send(&Target{Conn: h}, big); err != nil {
				t.Fatal(err)
			}
			sent++
			r.eventually("it is written, or blocked", func() bool { s := r.Stats(); return s.Blocked > 0 || s.MessagesOut == sent })
		}
		const pings = 10
		for range pings {
			r.readIn(c, "\r\n\r\n")
		}
		if n := r.Stats().Pings; n != pings {
			t.Fatalf("%d pings", n)
		}
		if _, err := r.Send(&Target{Conn: h}, Bytes("last")); err != nil {
			t.Errorf("beside one that is under way there is room for another: %v", err)
		}
		var got []byte
		for part := make([]byte, 64<<10); !strings.HasSuffix(string(got), "last"); {
			n, err := c.Read(part)
			if got = append(got, part[:n]...); err != nil {
				t.Fatalf("%v behind %d bytes", err, len(got))
			}
		}
		rest := strings.Trim(string(got), "m")
		if !strings.HasSuffix(rest, "last") || !strings.Contains(rest, "\r\n") {
			t.Errorf("behind the rest came %.40q, want a pong and the message", rest)
		}
	})
}
