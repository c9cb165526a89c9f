package proxy

import (
	"errors"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Receive handles one message. data is borrowed until Receive returns. It is
// what Proxy.Message does with the worker's Context.
func (c *Context) Receive(data []byte, src *reactor.Source) {
	c.receive(data, src, (*Context).route)
}

// receiveOverload handles a message for which there is no time: a request is
// answered 503 with Retry-After, without the Router. A response, an ACK and a
// CANCEL go their usual way, which costs little: to lose one would lead to more
// messages than it saves. It is what Proxy.Overload does.
func (c *Context) receiveOverload(data []byte, src *reactor.Source) {
	c.receive(data, src, (*Context).decline)
}

// receive takes a message in and has requests that are in order (RFC 3261 16.3)
// handled by f.
func (c *Context) receive(data []byte, src *reactor.Source, f func(*Context)) {
	c.busy = true
	defer c.leave()
	c.reset(src)
	_ = c.msg.Parse(data) // validation tells what is wrong
	d := c.msg.Defect()
	switch {
	case c.msg.IsRequest() && (d == nil || d.Answerable):
		c.count.add(RequestsIn)
		c.tellCame()
		if c.admit() {
			c.tellReceived()
			f(c)
		}
	case c.msg.IsRequest():
		c.count.add(RequestsIn)
		c.count.add(RequestsBroken)
		c.count.defects.Add(d.Reason)
		c.refuse(0, d.Reason)
	case c.msg.StatusCode() != 0:
		c.count.add(ResponsesIn)
		c.response()
	default:
		c.count.add(Unreadable)
		if d != nil {
			c.count.defects.Add(d.Reason)
		}
	}
}

// leave ends the handling of a message.
func (c *Context) leave() {
	c.stepOut()
	c.busy = false
	c.Src = nil
}

// route has a request routed, and sees to it that one that could not be sent on
// is not met with silence.
func (c *Context) route() {
	c.acceptAlias()
	if t := c.proxy.transactions; t != nil {
		t.Request(c, c.proxy.Router())
	} else {
		c.proxy.Router().Request(c)
	}
	if c.failure != nil && !c.forwarded && !c.answered && c.Msg.Method() != sipframe.ACK {
		switch {
		case errors.Is(c.failure, ErrRoute):
			_ = c.Respond(400, badRoute)
		case errors.Is(c.failure, ErrRequestURI):
			_ = c.Respond(400, badRequestURI)
		case errors.Is(c.failure, errGivenUp):
			_ = c.Respond(500, nil)
		default:
			_ = c.Respond(503, nil)
		}
	}
}

var (
	badRoute      = []byte("Bad Route")
	badRequestURI = []byte("Bad Request-URI")
	errGivenUp    = errors.New("proxy: the router has broken off")
)

// decline answers 503.
func (c *Context) decline() {
	if m := c.Msg.Method(); m == sipframe.ACK || m == sipframe.CANCEL {
		c.route()
		return
	}
	c.count.add(Overloaded)
	c.overload = true
	_ = c.Respond(503, nil)
}

// receiveBroken handles the header section that broke a stream's framing: a
// request that can be answered is. It is what Proxy.Malformed does.
func (c *Context) receiveBroken(data []byte, src *reactor.Source, d sipframe.Defect) {
	c.busy = true
	defer c.leave()
	c.reset(src)
	c.count.add(StreamsBroken)
	if !d.Answerable {
		return
	}
	_ = c.msg.Parse(data) // that it is broken is known
	if c.msg.Find(sipframe.HeaderVia) < 0 || c.msg.Method() == sipframe.ACK || !c.msg.IsRequest() {
		return
	}
	c.count.refuse(d.Code)
	c.refuse(d.Code, d.Reason)
}

// refuse answers a request that is not in order, unless the Router does; with code 0 there can be no answer.
func (c *Context) refuse(code int, reason string) {
	if r, ok := c.proxy.Router().(Refuser); ok {
		c.refused, c.mute = true, code == 0
		r.Refused(c, code, reason)
	}
	if code != 0 && !c.answered {
		_ = c.Respond(code, []byte(reason))
	}
}

// admit tells whether a request may go to the Router; if not, it has been
// answered or dropped.
func (c *Context) admit() bool {
	v := &c.verdict
	c.Msg.Validate(v)
	switch {
	case v.Code == 0 && !v.Drop:
	case v.Drop:
		c.count.add(RequestsBroken)
		c.count.defects.Add(v.Reason)
		c.refuse(0, v.Reason)
		return false
	default: // v.NoHops is Forward's: the Router may still answer the request here
		c.count.refuse(v.Code)
		c.count.defects.Add(v.Reason)
		if len(v.Unsupported) > 0 {
			OneLine(v.Unsupported)
			c.extra = append(append(append(c.extra, "Unsupported: "...), v.Unsupported...), "\r\n"...)
		}
		c.refuse(v.Code, v.Reason)
		return false
	}
	if c.absorbs() && (c.proxy.transactions == nil || !c.proxy.transactions.Acknowledges(c)) {
		c.count.add(AcksAbsorbed)
		return false
	}
	if c.looped() {
		c.count.add(Loops)
		_ = c.Respond(482, nil)
		return false
	}
	return true
}

// absorbs tells whether the message is the ACK to a negative response of ours. It
// is hop by hop (RFC 3261 17.1.1.3) and ends here. Our To tag follows from the
// transaction, which such an ACK shares with its INVITE.
func (c *Context) absorbs() bool {
	if c.Msg.Method() != sipframe.ACK {
		return false
	}
	to, err := c.Msg.To()
	if err != nil || to.Tag.Len != tagText {
		return false
	}
	var tag [tagText]byte
	return string(c.proxy.keys.appendTag(tag[:0], c.transaction())) == string(c.Msg.Bytes(to.Tag))
}

// apologize answers 500 to a request, over which somebody has panicked.
func (c *Context) apologize(data []byte, src *reactor.Source) {
	c.busy = true
	defer c.leave()
	c.reset(src)
	_ = c.msg.Parse(data) // it was in order, or it would have been answered
	if c.msg.IsRequest() && c.msg.Method() != sipframe.ACK && c.msg.Find(sipframe.HeaderVia) >= 0 {
		_ = c.Respond(500, nil)
	}
}
