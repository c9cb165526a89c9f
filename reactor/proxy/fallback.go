package proxy

import "net/netip"

// Fallback says for whom a response whose connection is gone may go to the host
// that the client has written into its Via (RFC 3261 18.2.2, the second step),
// when it cannot be had at the address that the request came from.
type Fallback uint8

// The policies, as via_fallback names them.
const (
	// FallbackVerified: for clients whose certificate was verified, and for those
	// whose address is among Config.ViaFallbackPeers.
	FallbackVerified Fallback = iota
	// FallbackAlways: for all. Whoever can send a request then has us connect to
	// any host.
	FallbackAlways
	// FallbackNever: for nobody.
	FallbackNever
)

// allows tells whether a client at an address may choose where its responses go.
func (f Fallback) allows(verified bool, client netip.Addr, listed []netip.Prefix) bool {
	switch f {
	case FallbackAlways:
		return true
	case FallbackNever:
		return false
	default:
	}
	if verified {
		return true
	}
	for _, net := range listed {
		if net.Contains(client) {
			return true
		}
	}
	return false
}
