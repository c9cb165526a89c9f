package reactor

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Peers that misbehave, named by the fault.

// refusing gives an address where nobody listens: its port is bound until the
// end of the test, so that nobody else gets it.
func refusing(t *testing.T) netip.AddrPort {
	t.Helper()
	_, addr := bound(t, [4]byte{127, 0, 0, 1})
	return addr
}

// bound is a socket that is bound to a port of the kernel's choice.
func bound(t *testing.T, host [4]byte) (fd int, addr netip.AddrPort) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	// Who names the port may have it, too; the kernel gives it to nobody who does not.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: host}); err != nil {
		t.Fatal(err)
	}
	if addr, err = kernel.LocalAddr(fd); err != nil {
		t.Fatal(err)
	}
	return fd, addr
}

// blackHole gives an address that answers no SYN: a listener whose backlog is
// full, so that the kernel drops what else comes.
func blackHole(t *testing.T) netip.AddrPort {
	t.Helper()
	return blackHoleAt(t, [4]byte{127, 0, 0, 1})
}

func blackHoleAt(t *testing.T, host [4]byte) netip.AddrPort {
	t.Helper()
	_, addr := fullListener(t, host)
	return addr
}

// fullListener is a listener with a full backlog, and where it listens.
func fullListener(t *testing.T, host [4]byte) (fd int, addr netip.AddrPort) {
	t.Helper()
	fd, addr = bound(t, host)
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	full := addr
	if full.Addr().IsUnspecified() {
		full = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), full.Port())
	}
	for range 4 { // more than the backlog takes
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(c) })
		_ = unix.Connect(c, kernel.Sockaddr(full))
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		// Of a listener these are how many wait to be accepted, and how many may.
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		if info.Unacked > info.Sacked {
			return fd, addr
		}
		if time.Now().After(end) {
			t.Fatalf("the backlog of %v does not fill: %d of %d", addr, info.Unacked, info.Sacked)
		}
	}
}

// accepting gives the address of a listener that does with each connection
// what serve says. Connections are closed at the end of the test.
func accepting(t *testing.T, serve func(c net.Conn)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
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
			accepted.add(c)
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

// accepted are the connections of accepting: they are older than the check that an engine has left nothing open, which
// closes them.
var accepted openConns

type openConns struct {
	mu  sync.Mutex
	all []net.Conn
}

func (o *openConns) add(c net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, c)
}

func (o *openConns) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.all {
		c.Close()
	}
	o.all = nil
}

// silent accepts and says nothing.
func silent(t *testing.T) netip.AddrPort { return accepting(t, nil) }

// resetting accepts, waits for some bytes and resets.
func resetting(t *testing.T) netip.AddrPort {
	return accepting(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
}

// closing accepts and closes at once.
func hangingUp(t *testing.T) netip.AddrPort {
	return accepting(t, func(c net.Conn) { c.Close() })
}

// untrusted is a TLS server with a certificate that nobody vouches for.
func untrusted(t *testing.T) netip.AddrPort {
	own, _ := tlsstatePair(t)
	cert, err := tls.X509KeyPair(own.CertificatePEM, own.PrivateKeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return accepting(t, func(c net.Conn) {
		_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
	})
}

// plainText answers a ClientHello in clear.
func plainText(t *testing.T) netip.AddrPort {
	return accepting(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_, _ = c.Write([]byte("SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
	})
}
