package reactor

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"sipreactor/reactor/internal/dispatch"
)

// BenchmarkEcho is a request and its answer through the whole engine, over
// loopback: read, decrypt, frame, worker, send queue, seal, write. The client is the
// standard library's and shares the cores; allocations count both sides.
func BenchmarkEcho(b *testing.B) {
	for _, p := range []Proto{TLS, TCP} {
		for _, way := range []struct {
			name   string
			window int
			inline time.Duration
		}{
			{"worker/window=1", 1, 0}, {"worker/window=32", 32, 0},
			{"loop/window=1", 1, patience}, {"loop/window=32", 32, patience},
		} {
			b.Run(p.String()+"/"+way.name, func(b *testing.B) {
				window := way.window
				e := start(b, &script{message: echo}, func(c *Config) { c.Inline = way.inline })
				c := benchDial(b, e, p)
				m := []byte(request("OPTIONS", "bench", 1, ""))
				many := make([]byte, 0, window*len(m))
				for range window {
					many = append(many, m...)
				}
				in := make([]byte, len(many))
				b.ReportAllocs()
				b.ResetTimer()
				for done := 0; done < b.N; done += window {
					if _, err := c.Write(many); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(c, in); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkHandOver is a frame's way from a loop to a worker and its answer's
// way back, without sockets: shard, follower and send queue.
func BenchmarkHandOver(b *testing.B) {
	done := make(chan struct{}, 1)
	left := 0
	e := start(b, &script{message: func(*Worker, *Frame) {
		if left--; left == 0 {
			done <- struct{}{}
		}
	}}, nil)
	src := &Source{Proto: TCP}
	items := make([]dispatch.Item, 32)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(items) {
		left = len(items)
		for i := range items {
			items[i] = dispatch.Item{Kind: dispatch.Message, Src: src}
		}
		e.dispatcher.Shards[0].Take(items)
		<-done
	}
}

func benchDial(b *testing.B, r *rig, p Proto) net.Conn {
	b.Helper()
	c, err := net.Dial("tcp", r.addr(p).String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	if p != TLS {
		return c
	}
	tc := tls.Client(c, &tls.Config{RootCAs: r.ca, ServerName: "localhost", DynamicRecordSizingDisabled: true})
	if err := tc.Handshake(); err != nil {
		b.Fatal(err)
	}
	return tc
}
