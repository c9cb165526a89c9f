package transaction

import "sipreactor/reactor/proxy"

// What goes upstream: responses that are relayed, kept and chosen, and those of ours.

// upstream sends bytes to where the request came from, and keeps them where they may be asked for again.
func (x *Exchange) upstream(b []byte, code int) error {
	x.responded = int32(code)
	if code >= 200 && code < 300 {
		x.accepted.Store(true)
	}
	drop(&x.last)
	if x.State() == Repeating || !x.up.Reliable() && (code < 200 || code >= 300 || !x.Invite()) {
		x.last = hoard(b)
	}
	return x.send(b)
}

func (x *Exchange) send(b []byte) error {
	err := x.c.SendUpstream(&x.up, b)
	if err == proxy.ErrGone && x.request != nil {
		o := x.layer.context(x.c)
		defer x.layer.putContext(o)
		if err = o.Begin(x.request.Bytes(), x.src); err == nil {
			err = o.SendByVia(b)
		}
		o.End()
	}
	return err
}

// Again sends what went upstream last: User.
func (x *Exchange) Again(*Transaction) {
	if x.last != nil && x.origin == nil {
		if x.responded >= 200 {
			x.shard.stat.add(statResponseT2)
		}
		if err := x.send(x.last.Bytes()); err != nil {
			x.c.CountResponse(err, x.peer())
		}
	}
}

// Answer sends the final response, or one that the script gave: User.
func (x *Exchange) Answer(_ *Transaction, b *Branch, code int) {
	if b != nil && !b.local && code == b.Status() && leg(b).response != nil {
		s := x.layer.scratchOf(x.c)
		s.b = x.gather(s.b[:0], &s.msg, leg(b))
		if x.origin != nil {
			x.arrived(code, s.b)
		} else {
			x.c.CountResponse(x.upstream(s.b, code), x.peer())
			x.shard.stat.add(statRelayed)
		}
		x.finished(code, s.b)
		return
	}
	if x.origin != nil {
		x.arrived(code, nil)
		x.finished(code, nil)
		return
	}
	x.own(code)
}

// own sends a response of ours.
func (x *Exchange) own(code int) {
	c := x.rc
	if c == nil {
		if c = x.restored(); c == nil {
			return
		}
		defer x.layer.putContext(c)
		defer c.End()
	}
	w := &x.layer.scratchOf(x.c).own
	reason := w.reason
	if reason == nil && code == 408 {
		reason = timeoutReason
	}
	if len(w.headers) > 0 {
		_ = c.AppendToResponse(w.headers) // what is no header is left out
	}
	if len(w.tag) > 0 {
		_ = c.SetToTag(w.tag) // what is no tag is left out, too
	}
	x.tellOn(c, OwnOut, nil, code, nil)
	s := x.layer.scratchOf(x.c)
	s.b = c.WriteOwn(s.b[:0], code, reason, w.body, false)
	x.tell(OwnWritten, nil, code, s.b)
	if x.State() == Repeating && s.msg.Parse(s.b) == nil { // before the ACK can come
		x.answered = x.layer.proxy.AnswerKey(&s.msg)
		x.layer.answers.add(x.answered, x.handle.Load())
	}
	err := x.upstream(s.b, code)
	x.shard.stat.add(statLocal)
	if err == nil {
		c.CountOwn(code)
	} else {
		x.c.CountResponse(err, x.peer())
	}
	if code >= 200 {
		x.finished(code, s.b)
	}
}

var timeoutReason = []byte("Request Timeout")

// restored returns a Context with the request and what the request route made of it.
func (x *Exchange) restored() *proxy.Context {
	if x.request == nil {
		return nil
	}
	o := x.layer.context(x.c)
	_ = o.Begin(x.request.Bytes(), x.src) // it has been read before
	if x.base != nil {
		o.Restore(x.base)
	}
	o.Transaction = x
	return o
}

// Relay sends the response at hand upstream: User.
func (x *Exchange) Relay(_ *Transaction, b *Branch) {
	code := int(x.Transaction.code)
	if x.dropped {
		return
	}
	if x.origin != nil {
		x.arrived(code, x.c.Received())
		return
	}
	x.tell(ResponseOut, leg(b), code, nil)
	s := x.layer.scratchOf(x.c)
	var err error
	if s.b, err = x.c.WriteResponse(s.b[:0], x.up.Proto()); err == nil {
		err = x.upstream(s.b, code)
	}
	x.c.CountResponse(err, x.peer())
	x.shard.stat.add(statRelayed)
	if code >= 200 {
		x.finished(code, s.b)
	}
}

// Keep keeps the response at hand: User.
func (x *Exchange) Keep(_ *Transaction, b *Branch) {
	leg := leg(b)
	drop(&leg.response)
	if x.origin != nil {
		leg.response = hoard(x.c.Received())
		return
	}
	s := x.layer.scratchOf(x.c)
	var err error
	if s.b, err = x.c.WriteResponse(s.b[:0], x.up.Proto()); err == nil {
		leg.response = hoard(s.b)
	}
}
