// Package visitors knows browsers that have left: nobody is dialled in their place.
package visitors

import (
	"net/netip"
	"sync"
)

// kept is how many are remembered at least.
const kept = 1 << 15

// Set remembers the remote ends of the WebSocket connections that peers had opened and that are over, the latest
// ones. No connection is opened to one of them: a browser does not listen (RFC 7118 5), and what is dialled in its place
// would be whatever a NAT has there by now. The zero value is empty. Any goroutine may call its methods.
type Set struct {
	mu           sync.Mutex
	late, before map[netip.AddrPort]struct{}
}

// Left notes that a connection from there is over.
func (v *Set) Left(from netip.AddrPort) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.late == nil || len(v.late) >= kept {
		v.late, v.before = make(map[netip.AddrPort]struct{}), v.late
	}
	v.late[unmapped(from)] = struct{}{}
}

// Had reports whether a connection came from there.
func (v *Set) Had(from netip.AddrPort) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, late := v.late[unmapped(from)]
	_, before := v.before[unmapped(from)]
	return late || before
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
