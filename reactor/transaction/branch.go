package transaction

import (
	"sync"
)

// Branch is a client transaction of a proxied request, with that of its CANCEL. Its owner is the Transaction.
type Branch struct {
	// Index is the branch's number in its transaction, from 0.
	Index int
	// User is what the transaction's user keeps with the branch.
	User any
	// Minor branches are not waited for: they are canceled when all others are done.
	Minor   bool
	local   bool  // the final response is ours: nothing came
	unsent  bool  // its first try could not be sent
	waiting bool  // a CANCEL is due as soon as a provisional response comes
	last    int16 // the last provisional response's code; 0: none came
	status  int16 // the final response's code, received or of our own; 0 while it is awaited

	of      *Transaction
	request Machine
	timers  [2]Timer
	cancel  *canceling // nil until a CANCEL goes out
}

// canceling is the client transaction of a CANCEL. Few branches have one.
type canceling struct {
	Machine
	timers [2]Timer
}

var cancels = sync.Pool{New: func() any { return new(canceling) }}

// Status returns the code of the branch's final response, 0 while that is awaited.
func (b *Branch) Status() int { return int(b.status) }

// Local reports whether the final response is our own, for a branch that was not answered.
func (b *Branch) Local() bool { return b.local }

// Heard reports whether any response came.
func (b *Branch) Heard() bool { return b.last != 0 || b.status != 0 && !b.local }

// State returns where the branch's client transaction is.
func (b *Branch) State() State { return b.request.state }

// Pending reports whether a final response is awaited.
func (b *Branch) Pending() bool { return b.status == 0 && b.request.state != Idle }

// over reports whether nothing of the branch is alive.
func (b *Branch) over() bool {
	return (b.request.state == Terminated || b.request.state == Idle) &&
		(b.cancel == nil || b.cancel.Over())
}

// drive moves the branch's request by an event and does what that causes but for what concerns the user, which it
// returns.
func (b *Branch) drive(e Event) Action {
	t := b.of
	effect := b.request.On(e, t.timing)
	if e == Provisional && effect.Life > 0 && b.request.kind == InviteClient && b.timers[partLife].Armed() &&
		b.last != 0 && !t.timing.RestartOnEach && b.last == t.code {
		effect.Life = Unchanged
	}
	if e == Cancel && effect.Life > 0 && b.timers[partLife].Armed() && t.wheel.before(&b.timers[partLife], t.now+effect.Life) {
		effect.Life = Unchanged // who is canceled has no more time than who is not
	}
	t.arm(&b.timers[partResend], effect.Resend)
	t.arm(&b.timers[partLife], effect.Life)
	if effect.Do&SendRequest != 0 {
		if err := t.user.SendRequest(t, b); err != nil {
			if e == Start {
				t.failure = err
			}
			return b.drive(TransportError)
		}
	}
	if effect.Do&SendAck != 0 {
		t.user.SendAck(t, b)
	}
	if effect.Do&SendCancel != 0 {
		b.sendCancel()
	}
	return effect.Do
}

// sendCancel begins the CANCEL's own transaction.
func (b *Branch) sendCancel() {
	b.waiting = false
	if b.cancel != nil {
		return
	}
	b.cancel = cancels.Get().(*canceling)
	*b.cancel = canceling{Machine: NewMachine(Client, b.request.reliable)}
	for i := range b.cancel.timers {
		b.cancel.timers[i].belong(b.Index, partCancelResend+part(i))
	}
	b.driveCancel(Start)
}

func (b *Branch) driveCancel(e Event) {
	t, c := b.of, b.cancel
	if c == nil {
		return
	}
	effect := c.On(e, t.timing)
	if e == Start {
		effect.Life = 64 * t.timing.T1
	}
	t.arm(&c.timers[0], effect.Resend)
	t.arm(&c.timers[1], effect.Life)
	if effect.Do&SendRequest != 0 && t.user.SendCancel(t, b) != nil {
		b.driveCancel(TransportError)
	}
}

// abandon has the branch's request canceled: at once if a provisional response came, else when one comes (RFC 3261
// 9.1). One that is no INVITE goes on.
func (b *Branch) abandon() {
	switch {
	case b.request.kind != InviteClient || b.status != 0:
	case b.request.state == Calling:
		b.waiting = true
	case b.request.state == Proceeding:
		b.drive(Cancel)
	}
}

// Went tells, within User.SendRequest, by what kind of transport a branch's request
// has gone: of several targets the one that took it may speak another than was
// thought. What is sent over a reliable one is not sent again by us.
func (b *Branch) Went(reliable bool) {
	m := &b.request
	if m.reliable == reliable {
		return
	}
	m.reliable = reliable
	if m.state != Calling && m.state != Trying {
		return
	}
	t := b.of
	m.interval = t.timing.T1
	resend := m.interval
	if reliable {
		resend = Off
	}
	t.arm(&b.timers[partResend], resend)
}
