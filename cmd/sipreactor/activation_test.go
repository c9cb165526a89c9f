package main

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"sipreactor/reactor"
)

// handed makes a socket as a service manager hands it over.
func handed(t *testing.T, network string) (*os.File, netip.AddrPort) {
	t.Helper()
	var s interface{ File() (*os.File, error) }
	var at net.Addr
	if network == "udp" {
		c, err := net.ListenPacket(network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, at = c.(*net.UDPConn), c.LocalAddr()
	} else {
		l, err := net.Listen(network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		s, at = l.(*net.TCPListener), l.Addr()
	}
	f, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, netip.MustParseAddrPort(at.String())
}

func TestActivate(t *testing.T) {
	stream, at := handed(t, "tcp")
	dgram, from := handed(t, "udp")
	sockets := []reactor.SocketConfig{{Proto: reactor.UDP, Addr: at}, {Proto: reactor.TLS, Addr: at},
		{Proto: reactor.UDP, Addr: from}, {Proto: reactor.TCP, Addr: netip.MustParseAddrPort("127.0.0.1:5060")}}
	if err := activate([]*os.File{stream, dgram}, sockets); err != nil {
		t.Fatal(err)
	}
	for i, want := range []*os.File{nil, stream, dgram, nil} {
		in := sockets[i].Inherited
		if (in == nil) != (want == nil) || in != nil && in.File != want {
			t.Errorf("socket %d has %v, want %v", i, in, want)
		}
	}
	if err := activate([]*os.File{stream}, sockets); err == nil {
		t.Error("one socket is handed over twice")
	}
}

func TestActivateMismatch(t *testing.T) {
	stream, at := handed(t, "tcp")
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tt := range []struct {
		f    *os.File
		have reactor.SocketConfig
		want []string
	}{
		{stream, reactor.SocketConfig{Proto: reactor.UDP, Addr: at}, []string{"tcp or tls socket at " + at.String(), "has udp:" + at.String()}},
		{stream, reactor.SocketConfig{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:1")}, []string{at.String(), "has tls:127.0.0.1:1"}},
		{file, reactor.SocketConfig{Proto: reactor.TLS, Addr: at}, []string{"/dev/null", "no socket"}},
	} {
		err := activate([]*os.File{tt.f}, []reactor.SocketConfig{tt.have})
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: no %q in %v", tt.have, want, err)
			}
		}
	}
}
