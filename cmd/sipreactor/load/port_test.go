package load

import (
	"net"
	"strconv"
	"testing"
)

func TestUnusedPort(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		port, err := UnusedPort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("port %s twice", port)
		}
		seen[port] = true
		if n, err := strconv.Atoi(port); err != nil || n < 1025 || n > 65535 {
			t.Fatalf("port %q", port)
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
