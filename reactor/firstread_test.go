package reactor

import (
	"bufio"
	"crypto/tls"
	"net"
	"testing"
	"time"
)

// gathering holds back what is written behind the first write, which is the
// ClientHello, until it is sent.
type gathering struct {
	net.Conn
	begun bool
	held  []byte
}

func (g *gathering) Write(b []byte) (int, error) {
	if !g.begun {
		g.begun = true
		return g.Conn.Write(b)
	}
	g.held = append(g.held, b...)
	return len(b), nil
}

// What comes in one segment with the end of the handshake is not lost: neither a
// message nor the part of one, nor what another segment brings behind it.
func TestMessageBehindTheHandshake(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	m := request("MESSAGE", "early", 1, "body")
	for _, cut := range []int{0, 1, len(m) / 2} { // from the end: how much comes in a segment of its own
		raw, err := net.Dial("tcp", r.addr(TLS).String())
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		_ = raw.SetDeadline(time.Now().Add(patience))
		g := &gathering{Conn: raw}
		c := tls.Client(g, &tls.Config{RootCAs: r.ca, ServerName: "localhost", MinVersion: tls.VersionTLS13, DynamicRecordSizingDisabled: true})
		if _, err := c.Write([]byte(m)); err != nil { // the handshake in front of it
			t.Fatal(err)
		}
		for _, part := range [][]byte{g.held[:len(g.held)-cut], g.held[len(g.held)-cut:]} {
			if len(part) == 0 {
				continue
			}
			if _, err := raw.Write(part); err != nil {
				t.Fatal(err)
			}
			r.eventually("it is read", func() bool { return r.Stats().Established > 0 })
		}
		if got, err := readMessage(bufio.NewReader(c)); err != nil || got != m {
			t.Errorf("cut %d bytes before the end: %q, %v", cut, got, err)
		}
		raw.Close()
	}
}
