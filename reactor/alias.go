package reactor

import (
	"net/netip"

	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/peers"
)

// AddAlias lets sends to a port of the peer's own address use its connection
// (RFC 5923): the port it listens on, where that is not the one it calls from.
// The address is the one the peer proved by calling from it, so nobody claims
// another's. Of several connections from there the newest holds the port: the
// peer has come back, and the one before may lead nowhere. That loses the alias,
// a line at level warning says so, and it is sent a CRLF, which its TCP must
// acknowledge: if it does not, the connection ends. An older connection does not
// get the alias back while the newer one lives. Where the holder has shown a
// certificate that was verified, only a connection whose verified certificate
// names a SIP domain of that one takes its alias.
//
// It fails when the connection is gone, when another connection has the address
// or keeps the alias, or with one alias too many. The alias ends with the
// connection. Any goroutine.
func (e *Engine) AddAlias(h Handle, port uint16) error {
	c := e.conns.Table.Get(h)
	if c == nil || !c.Src.Proto.Stream() {
		return peers.ErrGone
	}
	alias := netip.AddrPortFrom(c.Src.Remote.Addr(), port)
	holders, err := e.conns.Peers.TakeAlias(c, endpoint.Of(c.Src.Proto, alias))
	for _, old := range holders {
		if !old.Src.Outbound {
			e.conns.Log.AliasMoved(alias, old.Called(), c.Called())
		}
		old.Probe()
	}
	return err
}
