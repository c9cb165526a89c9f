package reactor

import (
	"net/netip"

	"sipreactor/reactor/internal/sourcelimit"
)

// SourceLimits bound what one source may take (SourceOf: an IPv4 address, or the
// /64 of an IPv6 one). 0 is no bound.
type SourceLimits struct {
	Connections   int            // accepted connections at the same time
	Handshakes    int            // accepted handshakes, of TLS and WebSocket, that are under way
	HandshakeRate int            // those that begin in one second
	Unfinished    int            // messages that are not complete, on accepted connections
	Allow         []netip.Prefix // sources without bounds; nil: none
}

// SourceOf returns what counts as one source where bounds are by source: an
// IPv4 address, or the /64 of an IPv6 one, of which any host may have all. The
// zero value stands for no address.
func SourceOf(a netip.Addr) netip.Addr { return sourcelimit.Of(a) }
