package proxy

import (
	"context"
	"log/slog"
	"sync/atomic"
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
	case err != nil:
		c.lost("message", 0, u.Err) // only Send takes what does not parse
	case !c.msg.IsRequest():
		c.count.add(ResponsesUndelivered)
		c.lost("response", u.Conn, u.Err)
	case c.msg.Method() == sipframe.ACK:
		c.count.add(AcksUndelivered)
		c.lost("ACK", u.Conn, u.Err)
	default:
		c.tellFailed(u.Proto, u.Addr, "", u.Err)
		if c.goOn(u) {
			c.count.add(RequestsMoved)
			return
		}
		c.count.add(RequestsUndelivered)
		c.answerFor(u)
	}
}

// answerFor answers 503 to a request that was forwarded and not delivered.
func (c *Context) answerFor(u *reactor.Undelivered) {
	t := &c.answer
	via, err := c.msg.TopVia()
	client, _, ok := viaBelow(&c.msg)
	if err != nil || !ok || !c.proxy.keys.openBranch(c.msg.Bytes(via.Branch), t) {
		// Send has sent it as it was: nothing in it tells where it came from.
		c.lost("request", u.Conn, u.Err)
		return
	}
	if sent, _ := c.proxy.keys.readClock(c.msg.Bytes(via.Params), t); !c.matches(t, sent, client) {
		c.lost("request", u.Conn, errVia)
		return
	}
	c.writeReply(503, nil, t.trans, true)
	if err := c.deliver(t, client, &c.reply); err != nil {
		c.count.add(ResponsesUndelivered)
		c.lost("response", t.conn, err)
		return
	}
	c.count.reply(503)
	c.tellRefused()
}

// quiet keeps a log line from being written more than once a second. Any
// goroutine.
type quiet struct {
	last    atomic.Int64 // the second of the last one
	skipped atomic.Uint64
}

// allow tells whether to write the line, and how many were left out before.
func (q *quiet) allow(now time.Time) (skipped uint64, ok bool) {
	last := q.last.Load()
	if sec := now.Unix(); sec == last || !q.last.CompareAndSwap(last, sec) {
		q.skipped.Add(1)
		return 0, false
	}
	return q.skipped.Swap(0), true
}

// lost logs a message that was not delivered to a connection. Nothing of the
// message itself is logged.
func (c *Context) lost(what string, conn reactor.Handle, cause error) {
	if skipped, ok := c.proxy.quiet.allow(time.Now()); ok {
		c.proxy.log.LogAttrs(context.Background(), slog.LevelWarn, what+" not delivered",
			slog.Uint64("connection", uint64(conn)), slog.Any("cause", cause), slog.Uint64("unlogged", skipped))
	}
}
