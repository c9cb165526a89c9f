package tm

import (
	"time"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// call is what the language keeps with a transaction, or with a request that may become one: the routes that were armed,
// the AVPs, the message flags.
type call struct {
	of        *Module
	onFailure *script.Routine
	onBranch  *script.Routine
	onReply   *script.Routine
	avps      script.AVPs
	flags     uint64
	noAnswer  time.Duration // $T_fr_timeout; 0: as configured
	noFinal   time.Duration // $T_fr_inv_timeout
	machine   *script.Machine
	best      *transaction.Leg // in a failure_route
	failing   bool
}

// legCall is what the language keeps with a branch.
type legCall struct {
	onReply *script.Routine
	bavps   map[string]script.Value
}

// callOf returns what is kept with the request in c, or with its transaction.
func (m *Module) callOf(c *proxy.Context) *call {
	switch t := c.Transaction.(type) {
	case *transaction.Exchange:
		return m.attached(t)
	case *call:
		return t
	default:
		k := m.newCall()
		c.Transaction = k
		return k
	}
}

func (m *Module) newCall() *call {
	k, ok := m.calls.Get().(*call)
	if !ok {
		k = new(call)
	}
	k.of = m
	return k
}

func (m *Module) attached(x *transaction.Exchange) *call {
	k, ok := x.Attached.(*call)
	if !ok {
		k = m.newCall()
		x.Attached = k
	}
	return k
}

func (k *call) reset() {
	k.of, k.onFailure, k.onBranch, k.onReply, k.machine, k.best = nil, nil, nil, nil, nil, nil
	k.flags, k.noAnswer, k.noFinal, k.failing = 0, 0, 0, false
	k.avps.Reset()
}

// legOf returns what is kept with a branch; nil: nothing.
func legOf(leg *transaction.Leg) *legCall {
	if leg == nil {
		return nil
	}
	k, _ := leg.Attached.(*legCall)
	return k
}

func (m *Module) makeLeg(leg *transaction.Leg) *legCall {
	if k := legOf(leg); k != nil {
		return k
	}
	k, ok := m.legs.Get().(*legCall)
	if !ok {
		k = new(legCall)
	}
	leg.Attached = k
	return k
}

var _ transaction.Script = (*Module)(nil)

// Created has the transaction wait as long as the script has said before: transaction.Script.
func (m *Module) Created(_ *proxy.Context, x *transaction.Exchange) {
	if k, ok := x.Attached.(*call); ok {
		x.SetTimeouts(k.noAnswer, k.noFinal)
	}
	m.views.follow(m.env.Proxy, x, false)
}

// Routed keeps what the request route has made: transaction.Script.
func (m *Module) Routed(c *proxy.Context, x *transaction.Exchange) {
	if x == nil {
		if k, ok := c.Transaction.(*call); ok {
			k.reset()
			m.calls.Put(k)
		}
		return
	}
	m.keep(c, m.attached(x))
}

// keep takes what the route that ran for c has left.
func (m *Module) keep(c *proxy.Context, k *call) {
	if x, ok := c.User.(*script.Machine); ok {
		x.SaveAVPs(&k.avps)
	}
	k.flags = c.Flags()
	k.machine = nil
}

// Branch runs the branch_route: transaction.Script.
func (m *Module) Branch(c *proxy.Context, x *transaction.Exchange, leg *transaction.Leg) (drop bool) {
	k := m.attached(x)
	if k.onBranch == nil {
		return false
	}
	if k.machine != nil && k.machine.Context() == c {
		return k.machine.Run(k.onBranch, script.BranchRoute)&script.Dropped != 0
	}
	c.SetFlags(k.flags)
	ended := k.onBranch.Run(c, script.Run{Kind: script.BranchRoute, AVPs: &k.avps})
	k.flags = c.Flags()
	return ended&script.Dropped != 0
}

// Response runs the onreply_route that was armed for the branch, or for the transaction: transaction.Script.
func (m *Module) Response(c *proxy.Context, x *transaction.Exchange, leg *transaction.Leg) (drop bool) {
	k := m.attached(x)
	var own *script.Routine
	if b := legOf(leg); b != nil && b.onReply != k.onReply {
		own = b.onReply
	}
	return m.runOnReply(own, c, x, leg, k) || m.runOnReply(k.onReply, c, x, leg, k)
}

// runOnReply runs one of them; nil is none.
func (m *Module) runOnReply(r *script.Routine, c *proxy.Context, x *transaction.Exchange, leg *transaction.Leg, k *call) (drop bool) {
	if r == nil {
		return false
	}
	run := script.Run{Kind: script.OnReplyRoute, OtherURI: x.RequestURI()}
	other := m.other(x.Request())
	run.Other = other
	if m.avpMode != 0 {
		run.AVPs = &k.avps
	}
	c.SetFlags(k.flags)
	c.Branch(0).SetFlags(leg.Set.Flags())
	ended := r.Run(c, run)
	m.doneWith(other)
	k.flags = c.Flags()
	leg.Set.SetFlags(c.Branch(0).Flags())
	return ended&script.Dropped != 0
}

// other reads the other message of a transaction, for as long as a route runs; nil: there is none.
func (m *Module) other(text []byte) *sipframe.Message {
	if text == nil {
		return nil
	}
	msg, ok := m.others.Get().(*sipframe.Message)
	if !ok {
		msg = new(sipframe.Message)
	}
	if msg.Parse(text) != nil {
		m.doneWith(msg)
		return nil
	}
	return msg
}

func (m *Module) doneWith(msg *sipframe.Message) {
	if msg != nil {
		msg.Reset()
		m.others.Put(msg)
	}
}

// Armed reports whether a failure_route waits: transaction.Script.
func (m *Module) Armed(x *transaction.Exchange) bool {
	k, ok := x.Attached.(*call)
	return ok && k.onFailure != nil
}

// Failure runs the failure_route: transaction.Script.
func (m *Module) Failure(c *proxy.Context, x *transaction.Exchange, best *transaction.Leg) {
	k := m.attached(x)
	r := k.onFailure
	k.onFailure = nil // it is armed anew for a retry
	k.best, k.failing = best, true
	run := script.Run{Kind: script.FailureRoute, AVPs: &k.avps}
	var other *sipframe.Message
	if best != nil {
		other = m.other(best.Response())
		run.Other = other
	}
	c.SetFlags(k.flags)
	r.Run(c, run)
	m.doneWith(other)
	k.flags = c.Flags()
	k.best, k.failing, k.machine = nil, false, nil
}

// Local runs the local_route, and has local_request_route see what comes of it: transaction.Script.
func (m *Module) Local(c *proxy.Context, x *transaction.Exchange) {
	m.views.follow(m.env.Proxy, x, true)
	k := m.attached(x)
	if m.local != nil {
		m.local.Run(c, script.Run{Kind: script.LocalRoute, AVPs: &k.avps})
		k.flags = c.Flags()
	}
}

// Release takes back what is kept: transaction.Script.
func (m *Module) Release(x *transaction.Exchange) {
	for _, leg := range x.Legs() {
		if b := legOf(leg); b != nil {
			b.onReply = nil
			clear(b.bavps)
			m.legs.Put(b)
			leg.Attached = nil
		}
	}
	if k, ok := x.Attached.(*call); ok {
		k.reset()
		m.calls.Put(k)
	}
	x.Attached = nil
}

// Best returns the branch that a failure_route is run for; nil: none, or there is no failure_route under way.
func (m *Module) Best(c *proxy.Context) *transaction.Leg {
	if k, ok := attachedTo(transaction.Of(c)); ok && k.failing {
		return k.best
	}
	return nil
}

func attachedTo(x *transaction.Exchange) (k *call, ok bool) {
	if x == nil {
		return nil, false
	}
	k, ok = x.Attached.(*call)
	return k, ok
}

// Keeps reports whether an onreply_route is armed, which runs for a 2xx that comes again, too: transaction.Script.
func (m *Module) Keeps(x *transaction.Exchange) bool {
	if k, ok := attachedTo(x); ok && k.onReply != nil {
		return true
	}
	for _, leg := range x.Legs() {
		if b := legOf(leg); b != nil && b.onReply != nil {
			return true
		}
	}
	return false
}
