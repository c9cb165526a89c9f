package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// WaitListening returns once something listens on a TCP port of 127.0.0.1 or of all IPv4 addresses. It asks the kernel
// and does not connect: that would be a client to a program that counts them.
func WaitListening(t testing.TB, port string) {
	t.Helper()
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(lineLimit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			t.Fatal(err)
		}
		if listens(string(table), uint16(n)) {
			return
		}
	}
	t.Fatalf("nothing listens on port %s", port)
}

// listens looks for a port in the kernel's table: lines of number, local address, remote address, state.
func listens(table string, port uint16) bool {
	const listening = "0A"
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) > 3 && f[3] == listening &&
			(f[1] == fmt.Sprintf("0100007F:%04X", port) || f[1] == fmt.Sprintf("00000000:%04X", port)) {
			return true
		}
	}
	return false
}
