// Package ports finds ports for programs that must be told one, and for tests of
// addresses at which nobody listens.
package ports

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// given are the ports that Unused returned.
var given struct {
	sync.Mutex
	ports map[int]bool
}

// blocks is how many parts the ports are in. A process takes its own by its number, so that two that
// run beside each other seldom come to the same one before either listens.
const blocks = 64

// Unused returns a port that nothing on 127.0.0.1 uses for TCP or UDP.
//
// It is not one of those the system gives to clients, which port 0 would yield: such a port can be taken by any
// connection before the program listens, and while it restarts. Each call returns another port. Any goroutine may call.
func Unused() (string, error) {
	given.Lock()
	defer given.Unlock()
	low, high := 10000, outgoing()
	if high-low < 1000 {
		low, high = 1025, 65536
	}
	size := (high - low) / blocks
	for try := range 1000 {
		block := os.Getpid() % blocks
		if try >= 500 { // it is full
			block = rand.IntN(blocks)
		}
		port := low + block*size + rand.IntN(size)
		if given.ports[port] || !unused(port) {
			continue
		}
		if given.ports == nil {
			given.ports = make(map[int]bool)
		}
		given.ports[port] = true
		return strconv.Itoa(port), nil
	}
	return "", errors.New("no unused port found")
}

// Address returns 127.0.0.1 with a port of Unused.
func Address() (string, error) {
	port, err := Unused()
	return net.JoinHostPort("127.0.0.1", port), err
}

// unused reports whether the port can be listened on.
func unused(port int) bool {
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	tcp, err := net.Listen("tcp", at)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", at)
	if err != nil {
		return false
	}
	return udp.Close() == nil
}

// outgoing returns the first port of the range for outgoing connections.
func outgoing() int {
	const usual = 32768
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return usual
	}
	fields := strings.Fields(string(text))
	if len(fields) == 0 {
		return usual
	}
	first, err := strconv.Atoi(fields[0])
	if err != nil {
		return usual
	}
	return first
}
