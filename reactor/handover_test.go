package reactor

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connection"
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

// What our own machine lacks is not the destination's fault.
func TestDialFailedBlame(t *testing.T) {
	for cause, want := range map[error]Blame{
		os.NewSyscallError("socket", unix.EMFILE):      BlameUs,
		os.NewSyscallError("bind", unix.EADDRNOTAVAIL): BlameUs,
		unix.ENFILE:       BlameUs,
		unix.ENOBUFS:      BlameUs,
		unix.ECONNREFUSED: BlamePeer,
		unix.EHOSTUNREACH: BlamePeer,
		unix.ECONNRESET:   BlamePeer,
	} {
		if e := connection.DialFailed(cause); e.Blame != want || e.Reason != ConnectFailed || !strings.Contains(e.Error(), cause.Error()) {
			t.Errorf("%v: %v, blame %v; want %v", cause, e, e.Blame, want)
		}
	}
}
