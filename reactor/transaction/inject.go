package transaction

import (
	"time"

	"sipreactor/reactor/proxy"
)

// What is done to a transaction from outside of its messages: branches that are injected, answers by management.

// Fork returns the branches of the last fork.
func (x *Exchange) Fork() []*Leg { return x.legs[x.Transaction.fork:len(x.branches)] }

// WaitForBranches has the transaction wait for n more branches to be injected after all that it has are done, until
// fr_inv_timeout is over; 0 ends that.
func (x *Exchange) WaitForBranches(n int) {
	now := x.layer.now()
	x.Transaction.Wait(now, n)
}

// Waits reports whether it waits for branches.
func (x *Exchange) Waits() bool { return x.Transaction.waits > 0 }

// Inject adds the branches of the request in c, which is the transaction's, and sends them: those it has are canceled
// first, or it no longer waits for further ones.
func (x *Exchange) Inject(c *proxy.Context, cancel, last bool) int {
	if cancel {
		x.CancelLegs(nil, true, true)
	}
	n := c.Branches()
	rc := x.relay(c, &Options{}, false)
	if last {
		n = MaxBranches
	}
	if x.Transaction.waits > 0 {
		x.Transaction.Wait(x.layer.now(), max(int(x.Transaction.waits)-n, 0))
	}
	return rc
}

// KeepChanges keeps what the script has made of the request in c, for branches that are injected when it is done: where
// nothing is relayed before.
func (x *Exchange) KeepChanges(c *proxy.Context) {
	if x.base == nil && x.c == c {
		x.base = x.layer.takeChanges()
		c.Save(x.base)
	}
}

// CancelLegs cancels branches that are pending: own, the others, or both.
func (x *Exchange) CancelLegs(own *Leg, itself, others bool) {
	now := x.layer.now()
	for _, leg := range x.Legs() {
		if leg.Pending() && (leg == own && itself || leg != own && others) {
			x.CancelBranch(now, &leg.Branch)
		}
	}
}

// CancelAll cancels the transaction as if its client had.
func (x *Exchange) CancelAll() { x.canceling(nil) }

// Forsake ends an INVITE of ours whose answer nobody needs any more: it is canceled, which has to wait where nothing was heard
// of it (RFC 3261 9.1), and not sent again. What is answered all the same is told.
func (x *Exchange) Forsake() {
	x.noFail = true
	x.canceling(nil)
	for _, leg := range x.Legs() {
		if leg.request.state == Calling {
			x.arm(&leg.timers[partResend], Off)
		}
	}
}

// Respond answers the transaction from outside of its script, with further headers and a To tag; an empty one is ours, and
// a request that has one keeps it. It reports whether there was something to answer.
func (x *Exchange) Respond(code int, reason, body, headers, tag []byte) bool {
	return x.respond(code, wording{reason, body, headers, tag}) == Relayed
}

// FindInvite returns the handle of the open transaction of an INVITE by its Call-ID and CSeq number; 0: there is none. It
// looks at all transactions unless Config.ByCallID. Any goroutine.
func (l *Layer) FindInvite(callID []byte, cseq uint32) (handle uint64) {
	key := l.proxy.InviteKey(callID, cseq)
	if l.Config().ByCallID {
		return l.invites.find(key)
	}
	return l.inviteOf(key)
}

// FindOwnInvite is FindInvite for INVITEs of ours. Any goroutine.
func (l *Layer) FindOwnInvite(callID []byte, cseq uint32) (handle uint64) {
	return l.inviteOf(^l.proxy.InviteKey(callID, cseq))
}

// inviteOf looks for an INVITE's transaction at all of them.
func (l *Layer) inviteOf(key uint64) (handle uint64) {
	l.table.each(func(x *Exchange) bool {
		if x.invited.Load() == key {
			handle = x.handle.Load()
		}
		return handle == 0
	})
	return handle
}

// Replicate sends a copy of the request in c to a URI, and to those of its appended branches. Nobody hears of the
// responses. The error is that of the last one that could not be sent, if none could.
func (l *Layer) Replicate(c *proxy.Context, uri []byte) error {
	o := l.context(c)
	defer l.putContext(o)
	defer o.End()
	if err := o.Begin(c.Received(), c.Src); err != nil {
		return err
	}
	var now proxy.Changes
	c.Save(&now)
	defer now.Forget()
	var last error
	sent := false
	for i := range c.Branches() {
		to := uri
		if i > 0 {
			to = c.BranchURI(i)
		}
		o.Restore(&now)
		o.ResetDestination()
		if last = o.SetRequestURI(to); last != nil {
			continue
		}
		if last = l.copyOut(o); last == nil {
			sent = true
		}
	}
	if sent {
		return nil
	}
	return last
}

// copyOut sends the request in c by a transaction that has no client.
func (l *Layer) copyOut(c *proxy.Context) error {
	if int(l.table.live.Load()) >= l.Config().Max {
		return ErrBusy
	}
	x := l.make(c.W)
	if x == nil {
		return ErrBusy
	}
	x.origin = &origin{}
	x.method, x.request = c.Msg.Method(), hoard(c.Received())
	return x.depart(c, &Options{})
}

// Wait has the transaction wait for n more branches after all that it has are done, for Timing.NoFinal; 0 ends that: what
// there is then is the answer. A 2xx ends it, too.
func (t *Transaction) Wait(now time.Duration, n int) {
	t.enter(now)
	defer t.leave()
	if t.status != 0 || t.silent || t.server.Over() { // there is nothing to wait with
		n = 0
	}
	waited := t.waits > 0
	if t.waits = int8(max(0, min(n, MaxBranches))); n > 0 {
		if t.waiting == nil {
			t.waiting = new(Timer)
			t.waiting.belong(-1, partWait)
		}
		if !t.waiting.Armed() {
			t.arm(t.waiting, t.timing.NoFinal)
		}
	}
	if n <= 0 {
		t.noMore()
		if waited {
			t.conclude()
		}
	}
}

// noMore has the transaction no longer wait.
func (t *Transaction) noMore() {
	if t.waiting != nil {
		t.wheel.Stop(t.waiting)
	}
}

// conclude decides if nothing is pending any more.
func (t *Transaction) conclude() {
	if t.status == 0 && !t.silent && !t.deciding && t.pending() == 0 && !t.server.Over() {
		t.decide()
	}
}
