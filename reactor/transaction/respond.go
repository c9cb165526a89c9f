package transaction

import (
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Respond answers the request in c by its transaction, which it makes where there is none. An empty reason is the code's
// usual one; the headers of a body are the script's, by AppendToResponse. It returns Relayed, Failed where there is nothing
// left to answer, or Repeated for a retransmission, whose script ends. A CANCEL is answered without a transaction.
func (l *Layer) Respond(c *proxy.Context, code int, reason, body []byte) int {
	x := Of(c)
	if x == nil {
		switch c.Msg.Method() {
		case sipframe.ACK:
			return Failed
		case sipframe.CANCEL:
			if c.Respond(code, reason) != nil {
				return Failed
			}
			return Relayed
		}
		var err error
		if x, err = l.Begin(c); err != nil {
			if err == ErrRepeat {
				return Repeated
			}
			return Failed
		}
	}
	return x.respond(code, wording{reason: reason, body: body})
}

// respond sends a response of the script's.
func (x *Exchange) respond(code int, w wording) int {
	s := x.layer.scratchOf(x.c)
	s.own = w
	ok := x.Transaction.Respond(x.layer.now(), code)
	s.own = wording{}
	if !ok {
		return Failed
	}
	return Relayed
}

var tryingReason = []byte("Giving it a try")

// Trying sends a 100.
func (x *Exchange) Trying() {
	c := x.rc
	if c == nil || x.status != 0 {
		return
	}
	s := x.layer.scratchOf(c)
	s.b = c.WriteTrying(s.b[:0], tryingReason)
	if x.upstream(s.b, 100) == nil {
		c.CountOwn(100)
	}
	x.shard.stat.add(statLocal)
}

// AddHeaders has all requests that are sent for the transaction from now on carry more headers: branches, CANCELs, and
// ACKs of ours.
func (x *Exchange) AddHeaders(text []byte) error {
	b, err := proxy.AppendHeaders(x.ownHeaders(), text)
	if err == nil {
		x.says().headers = b
	}
	return err
}

// KeepOpen says that the answer will come from elsewhere, after the script.
func (x *Exchange) KeepOpen() { x.kept = true }

// Respond answers the transaction from outside of its script, with further headers and a To tag; an empty one is ours, and
// a request that has one keeps it. It reports whether there was something to answer.
func (x *Exchange) Respond(code int, reason, body, headers, tag []byte) bool {
	return x.respond(code, wording{reason, body, headers, tag}) == Relayed
}
