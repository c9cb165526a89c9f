package reactor

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

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

// readHead reads an HTTP response up to its empty line.
func readHead(r *bufio.Reader) (head string, err error) {
	for err == nil && !strings.HasSuffix(head, "\r\n\r\n") {
		var line string
		line, err = r.ReadString('\n')
		head += line
	}
	return head, err
}
