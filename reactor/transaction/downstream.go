package transaction

import (
	"bytes"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// What comes from downstream, and what the machines have sent there.

// Response takes a response to a request that left as handle: proxy.Transactions.
func (l *Layer) Response(c *proxy.Context, handle uint64) bool {
	var mine, there bool
	x := l.table.get(handle)
	if x != nil {
		mine, there = x.hold(handle, event{kind: evResponse, handle: handle, src: c.Src}, c.Received())
	}
	if !there { // or just no longer
		r := l.table.left(handle)
		return r != nil && r.response(l, c, handle)
	}
	if mine {
		x.c, x.rc = c, nil
		x.response(c, handle)
		x.letGo(c)
	}
	return there
}

// Returned takes a request back that left as handle and could not be delivered: proxy.Transactions. An ACK does not come
// back, and what a CANCEL was to end ends by its own timer.
func (l *Layer) Returned(c *proxy.Context, handle uint64, _ *reactor.Error) {
	if c.Msg.Method() != sipframe.CANCEL {
		l.deliver(c, event{kind: evReturned, handle: handle}, nil)
	}
}

// ResponseReturned takes a response back that could not be delivered: proxy.Transactions.
func (l *Layer) ResponseReturned(c *proxy.Context, _ *reactor.Error) bool {
	h := l.requests.find(c.TransactionKey())
	return h != 0 && l.deliver(c, event{kind: evResponseLost, handle: h}, nil)
}

// response handles a response at hand, in c.
func (x *Exchange) response(c *proxy.Context, handle uint64) {
	_, name, _ := c.Msg.CSeq()
	code, now := c.Msg.StatusCode(), x.layer.now()
	method := sipframe.MethodOf(name)
	canceling := method == sipframe.CANCEL && x.method != sipframe.CANCEL
	if !canceling && method != x.method { // of a peer that left out of our Via what would have told (17.1.3)
		c.CountMismatch()
		return
	}
	i := branchOf(handle)
	if i >= len(x.branches) {
		return
	}
	leg := x.legs[i]
	former := leg.try != tryOf(handle) // of an address that was given up
	if former && (canceling || code < 200 || code >= 300) {
		if x.Invite() && !canceling {
			x.endFormer(c, leg, tryOf(handle), code)
		}
		return
	}
	if canceling && !x.cancels(c, leg) {
		c.CountMismatch()
		return
	}
	x.shard.stat.add(statReceived)
	c.Transaction, x.at, x.dropped = x, leg, false
	defer func() { c.Transaction = nil }()
	if canceling {
		x.layer.proxy.Router().Response(c)
		x.CancelResponse(now, &leg.Branch, code)
		return
	}
	if leg.received = int16(code); !former {
		leg.way.Reached()
	}
	if x.origin == nil {
		x.layer.proxy.Router().Response(c)
		if s := x.layer.user(); s != nil && !(c.Dropped() && code < 200) {
			x.dropped = s.Response(c, x, leg)
		}
		x.dropped = (x.dropped || c.Dropped()) && code < 200
	}
	x.tell(ResponseIn, leg, code, nil)
	if former && x.Invite() {
		x.Former(now, &leg.Branch, code)
	} else {
		x.Transaction.Response(now, &leg.Branch, code)
	}
	x.dropped = false
}

// SendRequest sends the branch's request: User.
func (x *Exchange) SendRequest(_ *Transaction, b *Branch) error {
	leg := leg(b)
	if leg.sent != nil {
		x.shard.stat.resent(b.request.interval, x.timing)
		return x.c.Resend(&leg.way, class(x.method), leg.sent.Bytes())
	}
	c := x.rc
	if err := c.SendBranch(x.name(leg), x.shard.index, &leg.way, &x.layer.scratchOf(c).b); err != nil {
		return err
	}
	b.Went(leg.way.Reliable())
	s := x.layer.scratchOf(c)
	keep := s.b
	if leg.way.Reliable() && leg.own == nil { // it does not go out again
		s.kept = appendRoot(s.kept[:0], s.b)
		keep = s.kept
	}
	leg.sent = hoard(keep)
	x.tell(RequestOut, leg, 0, s.b)
	return nil
}

// class is what a request is to a send queue.
func class(m sipframe.Method) reactor.Class {
	if m == sipframe.ACK {
		return reactor.Final
	}
	return reactor.LaterRequest
}

// SendCancel sends a CANCEL for the branch's request: User.
func (x *Exchange) SendCancel(_ *Transaction, b *Branch) error {
	leg := leg(b)
	if leg.sent == nil {
		return errNothing
	}
	var reason []byte
	if x.words != nil {
		reason = x.words.cancel
	}
	switch {
	case b.request.state == Abandoned:
		reason = noAnswerReason
	case x.status >= 200 && x.status < 300:
		reason = elsewhereReason
	}
	s := x.layer.scratchOf(x.c)
	s.b = appendCancel(s.b[:0], &s.msg, leg.sent.Bytes(), nil, reason, x.ownHeaders())
	return x.c.Resend(&leg.way, reactor.LaterRequest, s.b)
}

// cancels reports whether the response in c is one to the CANCEL of a branch: to what names the INVITE that it was made of
// (RFC 3261 9.1). One to a CANCEL that is answered already need not be.
func (x *Exchange) cancels(c *proxy.Context, leg *Leg) bool {
	if leg.cancel == nil || leg.sent == nil {
		return leg.cancel != nil
	}
	sent := &x.layer.scratchOf(c).msg
	if sent.Parse(leg.sent.Bytes()) != nil {
		return false
	}
	number, _, err := sent.CSeq()
	other, _, err2 := c.Msg.CSeq()
	from, err3 := sent.From()
	its, err4 := c.Msg.From()
	return err == nil && err2 == nil && err3 == nil && err4 == nil && number == other &&
		bytes.Equal(sent.CallID(), c.Msg.CallID()) && bytes.Equal(sent.Bytes(from.Tag), c.Msg.Bytes(its.Tag))
}

// SendAck acknowledges the response at hand: User.
func (x *Exchange) SendAck(_ *Transaction, b *Branch) {
	leg := leg(b)
	if leg.sent == nil {
		return
	}
	s := x.layer.scratchOf(x.c)
	s.b = appendAck(s.b[:0], &s.msg, leg.sent.Bytes(), nil, x.c.Msg, x.ownHeaders())
	if err := x.c.Resend(&leg.way, reactor.Final, s.b); err != nil { // by UDP it is sent again for the response's repetition
		x.c.CountAck(err, leg.way.Target().Addr)
	}
	if leg.way.Reliable() {
		drop(&leg.sent)
	}
}

// endFormer takes the response at hand, in c, of an address before the leg's present one: a final one that is repeated, as its ACK
// was lost, is acknowledged, and who rings only now is canceled.
func (x *Exchange) endFormer(c *proxy.Context, leg *Leg, try uint8, code int) {
	via, err := c.Msg.TopVia()
	if err != nil || leg.sent == nil || code < 200 && leg.unheard>>try&1 == 0 {
		return
	}
	s, way := x.layer.scratchOf(c), c.WayBack()
	s.kept = appendVia(s.kept[:0], c.Msg, via)
	if code < 200 {
		s.b = appendCancel(s.b[:0], &s.msg, leg.sent.Bytes(), s.kept, noAnswerReason, x.ownHeaders())
		_ = c.Resend(&way, reactor.LaterRequest, s.b) // again with the next response
		return
	}
	s.b = appendAck(s.b[:0], &s.msg, leg.sent.Bytes(), s.kept, c.Msg, x.ownHeaders())
	if err := c.Resend(&way, reactor.Final, s.b); err != nil {
		c.CountAck(err, c.Src.Remote)
	}
}

// scratch is what a goroutine writes messages in.
type scratch struct {
	b      []byte
	kept   []byte // what is kept of b
	msg    sipframe.Message
	reason []byte  // of a CANCEL, from the script
	acked  uint64  // the handle of the transaction that the ACK at hand was for, while that is routed
	own    wording // of the answer of ours that is being sent
	// answering: a request that gets no transaction is being answered.
	answering bool
}

// wording is what an answer of ours says besides its code. An empty reason is the code's usual one, an empty tag ours.
type wording struct{ reason, body, headers, tag []byte }

// scratchOf returns the scratch of whoever has c.
func (l *Layer) scratchOf(c *proxy.Context) *scratch {
	s, ok := c.Scratch.(*scratch)
	if !ok {
		s = new(scratch)
		c.Scratch = s
	}
	return s
}

// count counts what a timer means before it does something.
func (x *Exchange) count(t *Timer) {
	if t.part != partLife || t.branch < 0 {
		return
	}
	b := x.branches[t.branch]
	switch {
	case b.request.state == Calling || b.request.state == Trying:
		x.shard.stat.add(statTimeout)
	case x.Invite() && (b.request.state == Proceeding || b.request.state == Canceling):
		x.shard.stat.add(statTimeoutInvite)
	}
}
