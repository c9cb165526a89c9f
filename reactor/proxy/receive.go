package proxy

import (
	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Receive handles one message. data is borrowed until Receive returns. It is
// what Proxy.Message does with the worker's Context.
func (c *Context) Receive(data []byte, src *reactor.Source) {
	c.busy = true
	defer c.leave()
	c.reset(src)
	_ = c.msg.Parse(data) // validation tells what is wrong
	switch d := c.msg.Defect(); {
	case d != nil && !d.Replyable && c.msg.IsRequest():
		c.count.add(RequestsBroken)
	case c.msg.IsRequest():
		c.count.add(RequestsIn)
		c.request()
	default:
		c.count.add(ResponsesIn)
		c.response()
	}
}

// ReceiveBroken handles the header section that broke a stream's framing: a
// request that can be answered is. It is what Proxy.Malformed does.
func (c *Context) ReceiveBroken(data []byte, src *reactor.Source, d sipframe.Defect) {
	c.busy = true
	defer c.leave()
	c.reset(src)
	c.count.add(StreamsBroken)
	if !d.Replyable {
		return
	}
	_ = c.msg.Parse(data) // that it is broken is known
	if via, _ := c.msg.TopVia(); via == nil || c.msg.Method() == sipframe.ACK || !c.msg.IsRequest() {
		return
	}
	c.count.refuse(d.Code)
	_ = c.Reply(d.Code, []byte(d.Reason))
}

// leave ends the handling of a message.
func (c *Context) leave() {
	c.busy = false
	c.Src = nil
}

// request validates a request (RFC 3261 16.3), has it routed, and sees to it
// that a request that could not be sent on is not met with silence.
func (c *Context) request() {
	if !c.admit() {
		return
	}
	(*c.proxy.router.Load()).Request(c)
	if c.failure != nil && !c.settled && c.Msg.Method() != sipframe.ACK {
		_ = c.Reply(503, nil)
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
		return false
	default: // v.NoHops is Forward's: the Router may still answer the request here
		c.count.refuse(v.Code)
		if len(v.Unsupported) > 0 {
			c.extra = append(append(append(c.extra, "Unsupported: "...), v.Unsupported...), "\r\n"...)
		}
		_ = c.Reply(v.Code, []byte(v.Reason))
		return false
	}
	if c.absorbs() {
		c.count.add(AcksAbsorbed)
		return false
	}
	if c.looped() {
		c.count.add(Loops)
		_ = c.Reply(482, nil)
		return false
	}
	return true
}

// absorbs tells whether the message is the ACK to a negative reply of ours. It
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
	c.makeToken()
	var tag [tagText]byte
	return string(c.proxy.keys.appendTag(tag[:0], c.token.trans)) == string(c.Msg.Bytes(to.Tag))
}
