package proxy

import (
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Observer is told of requests that come, and of what next hops make of those that
// are forwarded to them: enough for a table of peers. Its methods are called by the goroutine that
// handles the message, often an event loop: many at once, and they must not wait.
// What they are given is borrowed until they return.
type Observer interface {
	// Received tells of a request that passed validation.
	Received(from *reactor.Source)
	// Forwarded tells of a request that a connection, or a datagram, to t.Addr
	// has taken, but not of an ACK, which has no answer. t.Name is the next hop's
	// SIP domain.
	Forwarded(t *reactor.Target)
	// Failed tells of a request that could not be sent to an address: at once
	// (name is the next hop's SIP domain), or later, when a connection failed
	// that had taken it (name is ""). addr is invalid when the name has none.
	Failed(proto reactor.Proto, addr netip.AddrPort, name string, cause error)
	// Refused tells of a request that we have answered 503 because of a failure
	// before, of which addr and name are.
	Refused(addr netip.AddrPort, name string)
	// Answered tells of a response that belongs to a request of ours.
	Answered(a *Answer)
}

// Answer is a response to a request that was forwarded.
type Answer struct {
	// From is the connection, or the socket, by which it came. From.Remote is
	// the next hop's address, but for the port of a connection that it has
	// opened itself.
	From *reactor.Source
	// Method is the request's, Code the response's (100 to 699).
	Method sipframe.Method
	Code   int
	// After is the time since the request was handed to its connection, in
	// microseconds: the round trip and what the next hop took, a callee's
	// ringing included where Method is INVITE and Code 200 or more. A connection
	// that had to be opened first is part of it. 0: not known, as of a request
	// that left before more than three minutes, or with a peer that does not
	// return our Via as it was.
	After time.Duration
}

// culprit is where a request could not be sent to.
type culprit struct {
	addr netip.AddrPort
	name string
}

// tellAnswer tells the observer of the response in hand; method is its CSeq's.
func (c *Context) tellAnswer(method []byte, sent clock, known bool) {
	c.tellAnswerOf(method, c.Msg.StatusCode(), sent, known)
}

// tellAnswerOf is tellAnswer where the code is known.
func (c *Context) tellAnswerOf(method []byte, code int, sent clock, known bool) {
	o := c.proxy.cfg.Observer
	if o == nil {
		return
	}
	c.told = Answer{From: c.Src, Method: sipframe.MethodOf(method), Code: code}
	if known {
		c.told.After = sent.since(c.proxy.now())
	}
	o.Answered(&c.told)
}

// tellReceived tells the observer of the request in hand.
func (c *Context) tellReceived() {
	if o := c.proxy.cfg.Observer; o != nil && c.Src.Remote.IsValid() {
		o.Received(c.Src)
	}
}

// tellSent tells the observer what became of a request that was to go to the
// Context's target.
func (c *Context) tellSent(err error) {
	switch o := c.proxy.cfg.Observer; {
	case o == nil:
	case err == nil && c.Msg.Method() == sipframe.ACK:
	case err == nil:
		o.Forwarded(&c.target)
	default:
		c.tellFailed(c.target.Proto, c.target.Addr, c.target.Name, err)
	}
}

// tellFailed tells the observer of an address, or of a name without one, that a
// request could not be sent to.
func (c *Context) tellFailed(proto reactor.Proto, addr netip.AddrPort, name string, err error) {
	if o := c.proxy.cfg.Observer; o != nil {
		c.culprit.addr, c.culprit.name = addr, name
		o.Failed(proto, addr, name, err)
	}
}

// tellRefused tells the observer of a 503 for what failed last.
func (c *Context) tellRefused() {
	o, culprit := c.proxy.cfg.Observer, &c.culprit
	if o != nil && (culprit.addr.IsValid() || culprit.name != "") {
		o.Refused(culprit.addr, culprit.name)
	}
}
