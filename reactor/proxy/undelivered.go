package proxy

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Return gets a message back that was taken for sending and could not be
// delivered (reactor.Handler.Undelivered). A request goes to the next address of
// its destination, and if there is none it is answered 503 to whom its branch
// names: all that takes stands in the bytes that were to be sent. An ACK is
// counted and logged, and so is a response, which ends it: a 503 that cannot be
// delivered does not come back a second time.
func (c *Context) Return(u *reactor.Undelivered) {
	c.busy = true
	defer c.leave()
	c.reset(&c.nowhere)
	switch err := c.msg.Parse(u.Data); {
	case u.Quoted && (err != nil || !c.quoted(u)):
		c.count.add(QuotesForeign)
	case u.Quoted:
	case err != nil:
		c.lost("message", u.Addr, 0, u.Err) // only Send takes what does not parse
	case !c.msg.IsRequest() && c.proxy.transactions != nil && c.proxy.transactions.ResponseReturned(c, u.Err):
		c.count.add(ResponsesUndelivered)
	case !c.msg.IsRequest():
		c.count.add(ResponsesUndelivered)
		c.lost("response", u.Addr, u.Conn, u.Err)
	case c.msg.Method() == sipframe.ACK:
		c.count.add(AcksUndelivered)
		c.lost("ACK", u.Addr, u.Conn, u.Err)
	default:
		c.tellFailed(u.Proto, u.Addr, "", u.Err)
		if t := &c.answer; c.proxy.transactions != nil && c.opens(t) && t.stateful && t.life == c.proxy.life {
			c.proxy.transactions.Returned(c, uint64(t.conn), u.Err)
			return
		}
		if c.goOn(u) {
			c.count.add(RequestsMoved)
			return
		}
		c.count.add(RequestsUndelivered)
		c.answerFor(u)
	}
}

// quoted gets the beginning of a datagram that the network could not deliver. It
// reports whether it was one of ours: what nobody but us can have written is its
// branch. A transaction then goes on to its next target. Of a request that was
// forwarded without one nothing else is left: its destination is left alone for a while,
// so when the client repeats it, another target gets it. A client that does not repeat it,
// as it came over a stream, is answered 503, if all that takes is quoted.
func (c *Context) quoted(u *reactor.Undelivered) bool {
	t := &c.answer
	if !c.msg.IsRequest() || !c.opens(t) {
		return false
	}
	c.tellFailed(u.Proto, u.Addr, "", u.Err)
	if c.W != nil {
		c.W.Engine().Unreachable(u)
	}
	switch {
	case c.msg.Method() == sipframe.ACK:
		c.count.add(AcksUndelivered)
	case c.proxy.transactions != nil && t.stateful && t.life == c.proxy.life:
		c.proxy.transactions.Returned(c, uint64(t.conn), u.Err)
	default:
		c.count.add(RequestsBounced)
		if t.proto != reactor.UDP && c.quotesAll(t) {
			c.answerFor(u)
		}
	}
	return true
}

// quotesAll reports whether what was quoted of a request is enough to answer it.
func (c *Context) quotesAll(t *token) bool {
	via, err := c.msg.TopVia()
	client, _, ok := viaBelow(&c.msg)
	if _, noTo := c.msg.To(); err != nil || noTo != nil || !ok {
		return false
	}
	sent, _ := c.proxy.keys.readClock(c.msg.Bytes(via.Params), t)
	return c.matches(t, sent, client)
}

// opens reads the branch of our Via on top of a message, if it is ours.
func (c *Context) opens(t *token) bool {
	via, err := c.msg.TopVia()
	return err == nil && c.proxy.keys.openBranch(c.msg.Bytes(via.Branch), t)
}

// answerFor answers 503 to a request that was forwarded and not delivered.
func (c *Context) answerFor(u *reactor.Undelivered) {
	t := &c.answer
	via, err := c.msg.TopVia()
	client, _, ok := viaBelow(&c.msg)
	if err != nil || !ok || !c.proxy.keys.openBranch(c.msg.Bytes(via.Branch), t) {
		// Send has sent it as it was: nothing in it tells where it came from.
		c.lost("request", u.Addr, u.Conn, u.Err)
		return
	}
	if sent, _ := c.proxy.keys.readClock(c.msg.Bytes(via.Params), t); !c.matches(t, sent, client) {
		c.lost("request", u.Addr, u.Conn, errVia)
		return
	}
	c.writeOwn(503, nil, t.trans, true)
	if err := c.deliver(t, client, &c.written); err != nil {
		c.count.add(ResponsesUndelivered)
		c.lost("response", c.asker(client), t.conn, err)
		return
	}
	c.count.respond(503)
	c.tellRefused()
}

// lost logs a message that was not delivered: the first of each peer and reason,
// and further ones once in a while. Nothing of the message itself is logged. peer
// is where it was to go, conn its connection, as far as they are known.
func (c *Context) lost(what string, peer netip.AddrPort, conn reactor.Handle, cause error) {
	skipped, ok := c.proxy.losses.Open(time.Now(), lossOf(what, peer, cause))
	if !ok {
		return
	}
	line := make([]slog.Attr, 0, 4)
	switch {
	case peer.Port() != 0:
		line = append(line, slog.String("peer", peer.String()))
	case peer.IsValid():
		line = append(line, slog.String("peer", peer.Addr().String()))
	}
	line = append(line, slog.Uint64("connection", uint64(conn)), slog.Any("cause", cause), slog.Uint64("unlogged", skipped))
	c.proxy.log.LogAttrs(context.Background(), slog.LevelWarn, what+" not delivered", line...)
}
