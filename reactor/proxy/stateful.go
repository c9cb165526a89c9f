package proxy

import (
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Transactions is who keeps transactions above the proxy: the branches that requests leave with by SendBranch lead back
// to it. Its methods are called by the goroutine that handles the message.
type Transactions interface {
	// Request has a request routed by r: the transaction that comes of it ends with that.
	Request(c *Context, r Router)
	// Response takes the response in c to a request that left as handle. It reports whether it knows such a one; if not
	// a 2xx to an INVITE goes on by its Via as long as it is young, and others end here.
	Response(c *Context, handle uint64) bool
	// Returned takes back a request, in c, that left as handle and could not be delivered.
	Returned(c *Context, handle uint64, cause *reactor.Error)
	// ResponseReturned takes back a response, in c, that could not be delivered. It reports whether it was one of a
	// transaction's.
	ResponseReturned(c *Context, cause *reactor.Error) bool
	// Acknowledges reports whether the ACK in c belongs to a final response of a transaction.
	Acknowledges(c *Context) bool
}

// SetTransactions has responses and what was not delivered handed to t. It is called once, before the first message.
func (p *Proxy) SetTransactions(t Transactions) { p.transactions = t }

// Router returns who routes messages now.
func (p *Proxy) Router() Router { return *p.router.Load() }

// youth is how long a response without a transaction is sent on: 64*T1. Its transaction was that of an earlier life of
// the process, or of another node (a deviation from RFC 6026 8.7); of ours only a 2xx to an INVITE is.
const youth = 32 * time.Second

// statefulResponse handles a response to a request of a transaction's. It reports whether it was dealt with.
func (c *Context) statefulResponse(t *token, sent clock, known bool) bool {
	if s := c.proxy.transactions; s != nil && t.life == c.proxy.life {
		if known && !c.answers(t, sent) {
			c.count.add(ResponsesMismatched)
			return true
		}
		_, method, _ := c.Msg.CSeq()
		code := c.Msg.StatusCode()
		if s.Response(c, uint64(t.conn)) {
			c.tellAnswerOf(method, code, sent, known)
			return true
		}
		// The transaction was ours and is over: its client has had its one final response (RFC 6026 8.7). A 2xx to an
		// INVITE is a call that somebody has to end.
		if code < 200 || code > 299 || sipframe.MethodOf(method) != sipframe.INVITE {
			c.count.add(ResponsesLate)
			return true
		}
	}
	t.conn = 0
	if age := sent.since(c.proxy.now()); !known || sent.edited || age == 0 || age > youth {
		c.count.add(ResponsesLate)
		return true
	}
	return false
}

// answers tells whether the message belongs to the request of a transaction that our branch t is of, as matches does; one
// of our own, and one that hid its way, went without a client's Via. So does a CANCEL of ours, whatever its INVITE had: who
// has sent it compares.
func (c *Context) answers(t *token, sent clock) bool {
	if client, _, ok := viaBelow(c.Msg); ok {
		return c.matches(t, sent, client)
	}
	_, method, _ := c.Msg.CSeq()
	return sipframe.MethodOf(method) == sipframe.CANCEL || c.checks(t, sent, nil, nil, netip.Addr{})
}

// CountOwn counts a response of ours.
func (c *Context) CountOwn(code int) { c.count.respond(code) }

// CountResponse counts a response that was sent on, or could not be.
func (c *Context) CountResponse(err error, peer netip.AddrPort) {
	if err == nil {
		c.count.add(ResponsesOut)
		return
	}
	c.count.add(ResponsesUndelivered)
	c.lost("response", peer, 0, err)
}

// CountMismatch counts a response to another request than that of the transaction which its branch leads to.
func (c *Context) CountMismatch() { c.count.add(ResponsesMismatched) }

// CountAck counts and logs an ACK of a transaction's that was not sent.
func (c *Context) CountAck(err error, peer netip.AddrPort) {
	c.count.add(AcksUndelivered)
	c.lost("ACK", peer, 0, err)
}

// WriteResponse writes the response at hand as it goes upstream by proto, without our Via and with the Router's changes,
// behind dst. Changes that make no message of it are left out.
func (c *Context) WriteResponse(dst []byte, proto reactor.Proto) ([]byte, error) {
	if c.hide.on {
		mine, text := len(c.edits), len(c.arena)
		err := c.buildHidden(proto)
		c.edits, c.arena = c.edits[:mine], c.arena[:text]
		if err != nil {
			return dst, err // as it came it would tell too much
		}
		return c.rewrite.AppendTo(dst), nil
	}
	client, same, ok := viaBelow(c.Msg)
	if !ok {
		return dst, ErrNotRequest
	}
	mine := len(c.edits)
	err := c.buildResponse(proto, client, same)
	if err != nil && mine > 0 {
		c.lost("changes of a response", netip.AddrPort{}, c.Src.Conn, err)
		c.edits, c.replaced, c.bodyEdited = c.edits[:0], false, false
		err = c.buildResponse(proto, client, same)
	}
	if err != nil {
		return dst, err
	}
	return c.rewrite.AppendTo(dst), nil
}

// WriteOwn writes a response of ours to the request at hand behind dst: as Respond does, with a body (whose headers are
// the Router's, by AppendToResponse) and, if busy, with the time to come again.
func (c *Context) WriteOwn(dst []byte, code int, reason, body []byte, busy bool) []byte {
	overload := c.overload
	c.overload = busy
	c.writeOwnBody(code, reason, body, c.transaction(), false)
	c.overload = overload
	if code >= 200 {
		c.answered = true
	}
	return append(dst, c.written.b...)
}

// WriteTrying is WriteOwn for the 100 that a transaction begins with. It has none
// of the headers that the Router has for responses, and not their body.
func (c *Context) WriteTrying(dst, reason []byte) []byte {
	extra, body := c.extra, c.responseBody
	c.extra, c.responseBody = nil, nil
	c.writeOwnBody(100, reason, nil, c.transaction(), false)
	c.extra, c.responseBody = extra, body
	return append(dst, c.written.b...)
}

// RespondBusy answers 503 with the time to come again, without a transaction.
func (c *Context) RespondBusy() error {
	c.overload = true
	return c.Respond(503, nil)
}

// TakeBranch makes appended branch i, 1 to Branches()-1, that of the Request-URI.
func (c *Context) TakeBranch(i int) { c.main.copyFrom(&c.forks[i-1]) }

// AppendHeaders repairs and checks text that is to stand among headers, and appends
// it to dst. ErrHeader if it is no header; dst is as it was then.
func AppendHeaders(dst, text []byte) ([]byte, error) {
	from := len(dst)
	dst = tidy(dst, text)
	if !validHeaders(dst[from:]) {
		return dst[:from], ErrHeader
	}
	return dst, nil
}

// Begin puts a message into a Context that is not in use, until End: a copy of one that came before. Its bytes are
// borrowed.
func (c *Context) Begin(data []byte, src *reactor.Source) error {
	c.busy = true
	c.reset(src)
	return c.msg.Parse(data)
}

// BeginLocal is Begin for a request of ours, which has no Via yet: it gets ours alone.
func (c *Context) BeginLocal(data []byte) error {
	c.nowhere = reactor.Source{}
	err := c.Begin(data, &c.nowhere)
	if err == nil && (!c.msg.IsRequest() || c.msg.Find(sipframe.HeaderVia) >= 0) {
		err = ErrNotRequest
	}
	return err
}

// BeginShown is Begin for a message of ours that is only looked at: nothing is sent because of it.
func (c *Context) BeginShown(data []byte) error {
	c.nowhere = reactor.Source{}
	err := c.Begin(data, &c.nowhere)
	c.refused, c.mute = true, true
	return err
}

// Refused reports whether nothing may be sent because of the message, but for a response to a request that is not in order.
func (c *Context) Refused() bool { return c.refused }

// End lets go of the message.
func (c *Context) End() { c.leave() }

// InUse reports whether the Context has a message.
func (c *Context) InUse() bool { return c.busy }

// Bind has the Context send by what another one sends by: the worker that handles the message there.
func (c *Context) Bind(to *Context) { c.out, c.W = to.out, to.W }

// BindWorker has the Context send by a worker.
func (c *Context) BindWorker(w *reactor.Worker) { c.out, c.W = w, w }

// Dropped reports whether the Router does not want the response forwarded.
func (c *Context) Dropped() bool { return c.drop }
