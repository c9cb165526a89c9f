package reactor

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/kernel"
)

// What we open has the keep-alive that was asked for, not the one of the
// standard library that hands the socket over.
func TestKeepAliveOfOpenedConnections(t *testing.T) {
	for name, k := range map[string]Keepalive{
		"off":           {},
		"system's":      {Enabled: true},
		"asked for":     {Enabled: true, Idle: 5000 * time.Second, Interval: 44 * time.Second, Count: 3},
		"in part asked": {Enabled: true, Count: 4},
	} {
		t.Run(name, func(t *testing.T) {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			(*kernel.Keepalive)(&k).Set(fd)
			want := kernel.KeepaliveOf(fd)

			r := start(t, &script{}, func(c *Config) { c.Keepalive = k })
			up := make(chan net.Conn, 1)
			to := accepting(t, func(c net.Conn) { up <- c })
			if _, err := r.Send(&Target{Proto: TCP, Addr: to}, Bytes(request("OPTIONS", "k", 1, ""))); err != nil {
				t.Fatal(err)
			}
			<-up
			r.eventually("the connection is up", func() bool { return r.Stats().Established == 1 })
			var got kernel.SavedKeepalive
			r.conns.Table.Each(func(c *connection.Conn) { got = kernel.KeepaliveOf(c.Own.Sock.Fd()) })
			if got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}
