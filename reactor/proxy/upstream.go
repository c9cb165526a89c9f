package proxy

import (
	"errors"
	"net/netip"

	"sipreactor/reactor"
)

// Upstream is where the responses to a request go. It may be kept.
type Upstream struct {
	conn   reactor.Handle
	addr   netip.Addr // over UDP, as are port and socket
	port   uint16
	socket uint16 // number of the listener; 0: none of ours
	proto  reactor.Proto
	noNew  bool
}

// Proto returns the transport of the request.
func (u *Upstream) Proto() reactor.Proto { return u.proto }

// Reliable reports whether that retransmits by itself.
func (u *Upstream) Reliable() bool { return u.proto != reactor.UDP }

// ErrGone: the connection that a request came by has ended. The response can go where the request's Via leads
// (Context.SendByVia, with the request in the Context).
var ErrGone = errors.New("proxy: the connection of the request is gone")

// Upstream returns where responses to the request at hand go.
func (c *Context) Upstream() (u Upstream) {
	src := c.Src
	u = Upstream{proto: src.Proto, conn: src.Conn, noNew: c.responseMayNotOpen()}
	if via, _ := c.Msg.TopVia(); via != nil && src.Proto == reactor.UDP {
		u.conn = 0
		to := c.viaAddr(c.Msg.Raw(), via, c.cameFrom(via))
		u.addr, u.port, u.socket = to.Addr(), to.Port(), c.ours.number(src.Socket)
	}
	return u
}

// SendUpstream sends a response. ErrGone if the connection that its request came by is.
func (c *Context) SendUpstream(u *Upstream, b []byte) error {
	c.back.b = b
	if u.proto != reactor.UDP {
		c.target = reactor.Target{Conn: u.conn, Proto: u.proto, Class: reactor.Final}
		err := c.send(&c.back)
		if err != nil && isGone(err) {
			return ErrGone
		}
		return err
	}
	c.target = reactor.Target{Proto: reactor.UDP, Addr: netip.AddrPortFrom(u.addr, u.port), Socket: c.proxy.listeners(c.W).numbered(u.socket), NoNew: u.noNew, Class: reactor.Final}
	return c.send(&c.back)
}

// SendByVia sends a response to where the Via of the request at hand leads (RFC 3261 18.2.2).
func (c *Context) SendByVia(b []byte) error {
	c.back.b = b
	via, err := c.Msg.TopVia()
	if via == nil {
		return err
	}
	return c.sendByVia(c.Msg.Raw(), via, c.cameFrom(via), &c.back)
}
