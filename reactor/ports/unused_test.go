package ports

import (
	"net"
	"strconv"
	"testing"
)

func TestUnused(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		port, err := Unused()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("port %s twice", port)
		}
		seen[port] = true
		n, err := strconv.Atoi(port)
		if err != nil || n < 1025 || n > 65535 {
			t.Fatalf("port %q", port)
		}
		if n >= outgoing() && outgoing() >= 11000 {
			t.Errorf("port %d is one that a client may be given", n)
		}
	}
	for port := range seen {
		ln, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Errorf("port %s: %v", port, err)
			continue
		}
		ln.Close()
	}
}

// What is listened on, by either transport, is not unused.
func TestTaken(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for _, port := range []int{tcp.Addr().(*net.TCPAddr).Port, udp.LocalAddr().(*net.UDPAddr).Port} {
		if unused(port) {
			t.Errorf("%d is unused", port)
		}
	}
}
