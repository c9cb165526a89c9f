package proxy

import (
	"slices"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
	"sipreactor/sipframe"
)

// largeRequest is the size in bytes above which a request is not for UDP: it may be
// cut into fragments on its way, of which one that is lost costs all (RFC 3261
// 18.1.1, the path's MTU not being known).
const largeRequest = 1300

// ownLines is about what a Via of ours adds.
const ownLines = 160

// twinKey is what the answers for large requests differ by: the answer in which they
// have no twins, or the one target of a literal.
type twinKey struct {
	answer  *names.Answer
	literal reactor.EndPoint
}

// maxTwins bounds the answers for large requests that a Context keeps; then it starts
// again.
const maxTwins = 64

// fitting gives the targets for the request at hand: before each of UDP the same
// address over TCP if it is large. That is then the next target when TCP cannot be
// had there (RFC 3261 18.1.1). What belongs to an INVITE goes as that went. A listener
// or connection that the Router has chosen stays.
func (c *Context) fitting(a *names.Answer) *names.Answer {
	if c.main.flow != 0 || c.main.bound || c.main.socket != nil && c.main.socket.Proto == reactor.UDP || !c.mayGrow(a) {
		return a
	}
	if method := c.Msg.Method(); method != sipframe.INVITE && inviteFamily(method) {
		if !c.proxy.grew.Load() {
			return a
		}
		if at, known := c.proxy.went.find(c.transaction()); !known || at.Proto != reactor.TCP {
			return a
		}
	} else if c.size() <= largeRequest {
		return a
	}
	c.proxy.grew.Store(true)
	return c.twins(a)
}

// mayGrow reports whether an answer has a target of UDP that we could reach by TCP.
func (c *Context) mayGrow(a *names.Answer) bool {
	return slices.ContainsFunc(a.Targets, func(t names.Target) bool {
		return t.Proto == reactor.UDP && c.ours.reach.Has(reactor.TCP, t.Addr.Addr().Is6())
	})
}

// size is about how large the request at hand is as it leaves.
func (c *Context) size() int {
	n := len(c.Msg.Raw()) + ownLines
	for _, e := range c.edits {
		n += e.to - e.from - int(e.end-e.off)
	}
	if c.rr.on {
		n += ownLines
	}
	return n
}

// firstOnly leaves of an order the first target, with the twin that belongs to it.
func firstOnly(o *names.Order, targets []names.Target) {
	if o.Len() > 1 && targets[o.At(0)].Addr == targets[o.At(1)].Addr {
		o.Cut(2)
		return
	}
	o.Cut(1)
}

// twins gives an answer in which each target of UDP has one of TCP before it.
func (c *Context) twins(a *names.Answer) *names.Answer {
	key := twinKey{answer: a}
	if a == &c.direct {
		key = twinKey{literal: a.Targets[0].EndPoint}
	}
	if grown := c.grown[key]; grown != nil {
		return grown
	}
	if c.grown == nil || len(c.grown) >= maxTwins {
		c.grown = make(map[twinKey]*names.Answer)
	}
	all := make([]names.Target, 0, 2*len(a.Targets))
	for _, t := range a.Targets {
		if t.Proto == reactor.UDP && c.ours.reach.Has(reactor.TCP, t.Addr.Addr().Is6()) {
			twin := t
			twin.Proto = reactor.TCP
			all = append(all, twin)
		}
		all = append(all, t)
	}
	grown := names.NewAnswer(all)
	c.grown[key] = grown
	return grown
}
