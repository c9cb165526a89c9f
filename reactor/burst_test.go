package reactor

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What the Handler sends for what a loop has read leaves in order, whatever runs it;
// what cannot be sent comes back with its note.
func TestBurst(t *testing.T) {
	for _, inline := range []time.Duration{0, time.Second} {
		t.Run(fmt.Sprint(inline), func(t *testing.T) {
			h := &bounce{back: make(chan *Undelivered, 10)}
			const n = 500
			h.message = func(w *Worker, f *Frame) {
				for i := range 2 {
					text := fmt.Sprint(i, " ", string(f.Data))
					if _, err := w.Send(&Target{Proto: UDP, Addr: f.Src.Remote, Socket: f.Src.Socket}, Bytes(text)); err != nil {
						t.Error(err)
					}
				}
				if strings.Contains(string(f.Data), "CSeq: 7 ") && inline > 0 {
					to := netip.MustParseAddrPort("255.255.255.255:9") // which the kernel forbids
					if _, err := w.Send(&Target{Proto: UDP, Addr: to, Socket: f.Src.Socket, Note: "mine"}, Bytes("lost")); err != nil {
						t.Error(err)
					}
				}
			}
			r := startWith(t, h, &h.script, func(c *Config) {
				withUDP(c)
				c.Inline = inline
			})
			c, err := net.Dial("udp", r.addr(UDP).String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.(*net.UDPConn).SetReadBuffer(4 << 20)
			buf := make([]byte, 65536)
			next, turn := 1, 0
			for sent := 0; next <= n; {
				for ; sent < n && sent < next+20; sent++ {
					if _, err := c.Write([]byte(request("MESSAGE", "x", sent+1, ""))); err != nil {
						t.Fatal(err)
					}
				}
				_ = c.SetReadDeadline(time.Now().Add(patience))
				k, err := c.Read(buf)
				if err != nil {
					t.Fatalf("after %d: %v", next, err)
				}
				if want := fmt.Sprint(turn, " "); !strings.HasPrefix(string(buf[:k]), want) || !strings.Contains(string(buf[:k]), fmt.Sprintf("CSeq: %d ", next)) {
					t.Fatalf("%q is not number %d of %d", buf[:k], turn, next)
				}
				if turn = 1 - turn; turn == 0 {
					next++
				}
			}
			if inline == 0 {
				return
			}
			select {
			case u := <-h.back:
				if u.Note != "mine" || string(u.Data) != "lost" || u.Quoted || !errors.Is(u.Err, unix.EACCES) || u.Proto != UDP {
					t.Errorf("%+v", u)
				}
			case <-time.After(patience):
				t.Error("nothing came back")
			}
		})
	}
}
