package reactor

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/gobwas/ws"
)

// BenchmarkEchoWeb is BenchmarkEcho over WebSocket: what its frames add to a request
// and its answer. Allocations count both sides.
func BenchmarkEchoWeb(b *testing.B) {
	const window = 32
	for _, p := range []Proto{WSS, WS} {
		b.Run(p.String(), func(b *testing.B) {
			r := startWeb(b, &script{message: echo}, func(c *Config) { c.Inline = patience })
			c := r.browse(p)
			m := []byte(request("OPTIONS", "bench", 1, ""))
			many := bytes.Repeat(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame(m))), window)
			in := make([]byte, window*len(ws.MustCompileFrame(ws.NewTextFrame(m))))
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += window {
				if _, err := c.Write(many); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c.read, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkIdleConnection tells what a connection that is up and says nothing holds of
// the heap and of stacks, its client in the same process included: wss beside tls.
func BenchmarkIdleConnection(b *testing.B) {
	const n = 500
	for _, p := range []Proto{TLS, WSS, TCP, WS} {
		b.Run(p.String(), func(b *testing.B) {
			for b.Loop() {
				r := start(b, &script{}, func(c *Config) {
					c.Sockets = append(c.Sockets, SocketConfig{Proto: WS, Addr: c.Sockets[0].Addr}, SocketConfig{Proto: WSS, Addr: c.Sockets[0].Addr})
					c.Sources = SourceLimits{}
				})
				before := inUse()
				var conns []net.Conn
				for range n {
					if p.Web() {
						conns = append(conns, r.browse(p).Conn)
					} else {
						conns = append(conns, r.dial(p))
					}
				}
				r.eventually("all are established", func() bool { return r.Stats().Established == n })
				b.ReportMetric(float64(inUse()-before)/n, "B/conn")
				for _, c := range conns {
					c.Close()
				}
				r.eventually("all are gone", func() bool { return r.Stats().Connections == 0 })
			}
		})
	}
}

// inUse is what the process holds of heap and stacks.
func inUse() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
