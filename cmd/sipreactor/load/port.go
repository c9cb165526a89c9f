package load

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// ports are those that UnusedPort gave out.
var ports struct {
	sync.Mutex
	given map[int]bool
}

// UnusedPort returns a TCP port on which nothing on 127.0.0.1 listens, for programs that must be told one.
//
// It is not one of those the system gives to outgoing connections, which port 0 would yield: such a port can be taken
// by any connection before the program listens. Each call returns another port. Any goroutine may call.
func UnusedPort() (string, error) {
	ports.Lock()
	defer ports.Unlock()
	low, high := 10000, outgoing()
	if high-low < 1000 {
		low, high = 1025, 65536
	}
	for range 1000 {
		port := low + rand.IntN(high-low)
		if ports.given[port] {
			continue
		}
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if ports.given == nil {
			ports.given = make(map[int]bool)
		}
		ports.given[port] = true
		return strconv.Itoa(port), ln.Close()
	}
	return "", errors.New("no unused port found")
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
