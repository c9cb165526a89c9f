package reactor

import (
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// growDatagrams gives the sockets of UDP a receive buffer of Config.DatagramBuffer
// bytes, if theirs is smaller: a burst that finds no room there is dropped by the
// kernel. gnet opens each socket once a loop and shows one of them, so they are
// looked for among all descriptors. What the system does not allow
// (net.core.rmem_max) is logged.
func (e *Engine) growDatagrams() {
	want, least := e.cfg.DatagramBuffer, 0
	ours := make(map[netip.AddrPort]bool)
	for _, s := range e.sockets {
		if s.Proto == UDP {
			ours[s.Addr] = true
		}
	}
	if want <= 0 || len(ours) == 0 {
		return
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range list {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || !isDatagram(fd, ours) {
			continue
		}
		if has := kernel.GrowReceive(fd, want); least == 0 || has < least {
			least = has
		}
	}
	if 0 < least && least < want {
		e.log.Warn("the system holds the receive buffers of UDP below maxbuffer: raise net.core.rmem_max", "bytes", least, "maxbuffer", want)
	}
}

// isDatagram tells whether a descriptor is a socket of UDP bound to one of the
// addresses.
func isDatagram(fd int, at map[netip.AddrPort]bool) bool {
	typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || typ != unix.SOCK_DGRAM {
		return false
	}
	addr, err := kernel.LocalAddr(fd)
	return err == nil && at[addr]
}
