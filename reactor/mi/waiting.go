package mi

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"sipreactor/reactor"
)

// procNet is where the kernel lists its sockets.
const procNet = "/proc/net/"

// Waiting adds up the bytes that wait unread in the kernel for the listeners of
// a transport, or for the connections that those have accepted. What the kernel
// does not tell counts as nothing.
func Waiting(e Engine, p reactor.Proto) (bytes uint64) {
	if p != reactor.UDP {
		return e.Unread(p)
	}
	local := make(map[netip.AddrPort]bool)
	for _, s := range e.Sockets() {
		if s.Proto == p {
			local[s.Addr] = true
		}
	}
	if len(local) == 0 {
		return 0
	}
	for _, name := range []string{"udp", "udp6"} {
		if f, err := os.Open(procNet + name); err == nil {
			bytes += receiveQueues(f, local)
			_ = f.Close()
		}
	}
	return bytes
}

// receiveQueues adds up the receive queues of the sockets in a kernel table
// that are bound to one of the addresses, or whose port is one of an address
// that takes all (0.0.0.0, ::).
func receiveQueues(table io.Reader, local map[netip.AddrPort]bool) (bytes uint64) {
	return kernelColumn(table, local, func(f []string) uint64 {
		_, rx, _ := strings.Cut(f[4], ":")
		n, _ := strconv.ParseUint(rx, 16, 64)
		return n
	})
}

// kernelColumn adds up what pick reads of the fields of those sockets.
func kernelColumn(table io.Reader, local map[netip.AddrPort]bool, pick func(fields []string) uint64) (sum uint64) {
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		// sl local_address rem_address st tx_queue:rx_queue ...
		f := strings.Fields(lines.Text())
		if len(f) < 5 {
			continue
		}
		at, err := kernelAddress(f[1])
		if err != nil {
			continue
		}
		if !local[at] && !local[netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port())] &&
			!local[netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port())] {
			continue
		}
		sum += pick(f)
	}
	return sum
}

// kernelAddress reads an address of a kernel table: 32-bit words in the
// machine's order, a colon and the port, all in hexadecimal. The order is taken
// to be little-endian.
func kernelAddress(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+3 < len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	addr, ok := netip.AddrFromSlice(b)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("mi: %q is no address", s)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), nil
}
