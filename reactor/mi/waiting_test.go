package mi

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/waittest"
)

func TestReceiveQueues(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   1: 010200C0:13C5 076433C6:9C40 07 00000000:00000010 02:0000 00000000     0        0 2
   2: 010200C0:13C5 076433C6:9C41 07 00000000:000000FF 02:0000 00000000     0        0 3
   3: 010200C0:13C6 076433C6:9C41 07 00000000:000000FF 02:0000 00000000     0        0 4
   4: 0000000000000000FFFF0000010200C0:13C5 0000000000000000FFFF0000076433C6:9C41 07 00000000:00000001 02:0000 00000000 0 0 5
   5: B80D0120000000000000000001000000:13C4 B80D0120000000000000000009000000:9C41 07 00000000:00000020 02:0000 00000000 0 0 6
   6: nonsense
   7: XX:13C5 00000000:0000 07 00000000:00000007
   8: 01:13C5 00000000:0000 07 00000000:00000007
   9: 010200C0:XXXX 00000000:0000 07 00000000:00000007
`
	sum := func(addrs ...string) uint64 {
		local := map[netip.AddrPort]bool{}
		for _, a := range addrs {
			local[addr(a)] = true
		}
		return receiveQueues(strings.NewReader(table), local)
	}
	if n := sum("192.0.2.1:5061"); n != 0x10+0xff+1 {
		t.Errorf("one listener: %d", n)
	}
	if n := sum("0.0.0.0:5062"); n != 0xff {
		t.Errorf("on any address: %d", n)
	}
	if n := sum("[2001:db8::1]:5060", "[::]:5062"); n != 0x20+0xff {
		t.Errorf("IPv6: %d", n)
	}
	if n := sum("192.0.2.2:5061"); n != 0 {
		t.Errorf("somebody else's: %d", n)
	}
}

// The kernel is asked about datagrams that nobody reads, the engine about
// connections.
func TestWaiting(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("udp", l.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(make([]byte, 1234)); err != nil {
		t.Fatal(err)
	}
	e := &fakeEngine{sockets: []*reactor.Socket{{Proto: reactor.UDP, Addr: addr(l.LocalAddr().String())}}, unread: 7}
	// For datagrams the kernel counts its own overhead, too.
	waittest.For(t, "the bytes are counted", func() bool { return Waiting(e, reactor.UDP) >= 1234 })
	if n := Waiting(e, reactor.TLS); n != 7 {
		t.Errorf("TLS: %d bytes", n)
	}
	if n := Waiting(&fakeEngine{}, reactor.UDP); n != 0 {
		t.Errorf("no UDP listener, %d bytes", n)
	}
}
