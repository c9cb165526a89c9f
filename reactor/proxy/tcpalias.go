package proxy

import (
	"errors"

	"sipreactor/reactor"
)

// AliasPolicy says whether a connection that a peer opened may carry our
// requests to the port that the peer listens on (RFC 5923).
type AliasPolicy uint8

// The policies, as tcp_accept_aliases numbers them.
const (
	AliasNever  AliasPolicy = iota
	AliasAsked              // when the top Via has the alias parameter
	AliasAlways             // whatever the Via says
)

var errNoStream = errors.New("proxy: only a connection that the peer opened can have an alias")

// ForceTCPAlias lets the connection that the request came on carry requests to
// a port of its peer's address; 0 is the port of the top Via. The address is
// the one the connection comes from, whatever the Via names: nobody gets
// another's messages by naming him. Of several connections from there the newest
// holds the port; see reactor.Engine.AddAlias.
func (c *Context) ForceTCPAlias(port uint16) error {
	if c.W == nil || c.Src.Outbound || c.Src.Proto == reactor.UDP {
		return errNoStream
	}
	if port == 0 {
		via, err := c.Msg.TopVia()
		if via == nil {
			return err
		}
		if port = uint16(via.Port); port == 0 {
			port = c.Src.Proto.DefaultPort()
		}
	}
	return c.W.Engine().AddAlias(c.Src.Conn, port)
}

// acceptAlias gives the request's connection its alias, as the policy says.
func (c *Context) acceptAlias() {
	policy := c.proxy.cfg.AcceptAliases
	if policy == AliasNever || c.Src.Outbound {
		return
	}
	if policy == AliasAsked {
		if via, _ := c.Msg.TopVia(); via == nil || !via.Alias {
			return
		}
	}
	_ = c.ForceTCPAlias(0) // what it cannot have, it does without
}
