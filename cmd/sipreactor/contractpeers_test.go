package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/cmd/sipreactor/load"
)

// Destinations of the contract tests, named by what they do.

// uri is a destination's.
func uri(user, transport string, addr netip.AddrPort) string {
	return "sip:" + user + "@" + addr.String() + ";transport=" + transport
}

// accepting hands each connection to serve. All are closed at the end.
func accepting(t *testing.T, receive int, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			if receive > 0 {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receive)
			}
		})
	}}
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var conns []net.Conn
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			if serve != nil {
				go serve(c)
			}
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
		for _, c := range conns {
			c.Close()
		}
	})
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

// silentPeer accepts and says nothing.
func silentPeer(t *testing.T) netip.AddrPort { return accepting(t, 0, nil) }

// slowReader makes the handshake and then reads nothing, with little room.
func slowReader(t *testing.T, transport string, cfg *tls.Config) netip.AddrPort {
	return accepting(t, 4096, func(c net.Conn) {
		if transport == "tls" {
			_ = c.SetDeadline(time.Now().Add(patience))
			_ = tls.Server(c, cfg).Handshake()
		}
	})
}

// blackHole answers no SYN: its backlog is full, and the kernel drops what else
// comes.
func blackHole(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	host := [4]byte{127, 0, 0, 1}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: host}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := sa.(*unix.SockaddrInet4).Port
	for range 4 { // more than the backlog takes
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(c) })
		_ = unix.Connect(c, &unix.SockaddrInet4{Addr: host, Port: port})
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		// Of a listener these are how many wait to be accepted, and how many may.
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		if info.Unacked > info.Sacked {
			return netip.AddrPortFrom(netip.AddrFrom4(host), uint16(port))
		}
		if time.Now().After(end) {
			t.Fatalf("the backlog does not fill: %d of %d", info.Unacked, info.Sacked)
		}
	}
}

// unanswering is a destination at which a connection stays under way: with tls a
// silent peer, with tcp a black hole.
func unanswering(t *testing.T, transport string) netip.AddrPort {
	if transport == "tls" {
		return silentPeer(t)
	}
	return blackHole(t)
}

// serverConfig is TLS for a destination.
func (c *contract) serverConfig() *tls.Config {
	c.Helper()
	cfg, err := c.ca.ServerConfig("ecdsa", "127.0.0.1", "127.0.0.2")
	if err != nil {
		c.Fatal(err)
	}
	cfg.ClientAuth = tls.RequestClientCert
	return cfg
}

// callee answers requests with 200.
func (c *contract) callee(transport, addr string) *load.Server {
	c.Helper()
	var cfg *tls.Config
	if transport == "tls" {
		cfg = c.serverConfig()
	}
	s, err := load.Listen(addr, cfg)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { s.Close() })
	return s
}
