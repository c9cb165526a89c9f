package reactor

import (
	"net"
	"net/netip"
	"sync"
	"testing"
)

// rude accepts connections and resets each at once.
func rude(t *testing.T) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

// A peer that resets just after it accepted costs an error, and no descriptor.
func TestResetAfterAccept(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{}, func(c *Config) { c.MaxConnections = 100 })
		to := &Target{Proto: p, Addr: rude(t), Name: "localhost"}
		before := sockets()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 100 {
					_, _ = r.Send(to, Bytes(request("MESSAGE", "x", 1, "")))
				}
			})
		}
		all.Wait()
		r.eventually("every connection is gone", func() bool { return r.conns.Table.Len() == 0 })
		r.eventually("so is every descriptor", func() bool { return sockets() <= before })
	})
}
