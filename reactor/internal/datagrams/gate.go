package datagrams

import (
	"errors"
	"net/netip"
	"sync"

	"sipreactor/reactor/internal/kernel"
)

// ErrShut is the error of a datagram behind the end of sending.
var ErrShut = errors.New("no datagram is sent any more")

// Senders has the descriptors that datagrams leave by, by the number of their socket.
type Senders interface{ Sender(i int) int }

// Gate lets datagrams out until it is shut. The zero value is open; any goroutine.
type Gate struct {
	sending sync.RWMutex // held while one is sent, so that its socket stays open
	shut    bool
}

// Send sends a datagram by a socket. It is with the kernel, or it is an error.
func (g *Gate) Send(by Senders, socket int, text []byte, to netip.AddrPort) error {
	g.sending.RLock()
	defer g.sending.RUnlock()
	if g.shut {
		return ErrShut
	}
	return kernel.SendTo(by.Sender(socket), text, to)
}

// Shut ends the sending, and returns when none is under way.
func (g *Gate) Shut() {
	g.sending.Lock()
	g.shut = true
	g.sending.Unlock()
}
