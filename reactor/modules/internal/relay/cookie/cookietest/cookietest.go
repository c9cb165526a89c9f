// Package cookietest is a relay of media as tests want it.
package cookietest

import (
	"bytes"
	"net"
	"testing"
)

// Serve answers each datagram with those that f returns for its cookie and what is behind that,
// until the test ends. It returns where.
func Serve(t *testing.T, f func(cookie, body []byte) []string) (addr string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			cookie, body, _ := bytes.Cut(buf[:n], []byte{' '})
			for _, a := range f(cookie, body) {
				_, _ = pc.WriteTo([]byte(a), from)
			}
		}
	}()
	return pc.LocalAddr().String()
}
