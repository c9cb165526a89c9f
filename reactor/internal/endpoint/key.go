// Package endpoint names a remote end point by a value that can be a key.
package endpoint

import "net/netip"

// Key is an address, a port and a transport. IPv4 addresses are the same however
// they are written.
type Key struct {
	ip    [16]byte
	port  uint16
	proto uint8
}

// Of returns the key of an address and the number of a transport.
func Of[P ~uint8](proto P, a netip.AddrPort) Key {
	return Key{ip: a.Addr().As16(), port: a.Port(), proto: uint8(proto)}
}

// Proto returns the number of the transport.
func (k Key) Proto() uint8 { return k.proto }

// Port returns the port.
func (k Key) Port() uint16 { return k.port }

// Hash returns a number that spreads keys evenly.
func (k Key) Hash() uint64 {
	h := uint64(k.port)<<8 | uint64(k.proto)
	for i := 0; i < len(k.ip); i += 8 {
		var w uint64
		for j := range 8 {
			w = w<<8 | uint64(k.ip[i+j])
		}
		h = (h ^ w) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	return h
}
