package transaction

import (
	"slices"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Who has branches canceled: the client's CANCEL, the script, management. Which ones an answer cancels is the Transaction's
// (answer.go, ends.go), and when that may go out, the Branch's (abandon).

// Cancel answers the CANCEL in c and cancels the INVITE it is for. It reports whether there is one.
func (l *Layer) Cancel(c *proxy.Context, _ *Options) bool {
	h := l.requests.find(c.TransactionKey())
	if h == 0 {
		return false
	}
	reason := callerReason
	switch own := l.scratchOf(c).reason; {
	case len(own) > 0:
		reason = own
	case len(c.Msg.Value(sipframe.HeaderReason)) > 0:
		reason = append(append([]byte("Reason: "), c.Msg.Value(sipframe.HeaderReason)...), "\r\n"...)
		proxy.OneLine(reason[:len(reason)-2])
	}
	return l.deliver(c, event{kind: evCancel, handle: h}, reason)
}

// SetCancelReason has the CANCEL in c, when it is relayed, give a reason of the script's: a whole Reason header with its
// line end. ErrHeader if it is none.
func (l *Layer) SetCancelReason(c *proxy.Context, header []byte) error {
	s := l.scratchOf(c)
	var err error
	s.reason, err = proxy.AppendHeaders(s.reason[:0], header)
	return err
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

// canceling cancels the branches because the client has asked for that, the first time.
func (x *Exchange) canceling(reason []byte) {
	if x.Canceled() {
		return
	}
	w := x.says()
	w.cancel = append(w.cancel[:0], reason...)
	x.tell(Canceled, nil, 0, nil)
	x.Transaction.Cancel(x.layer.now())
}

// canceledInQueue returns where in the queue a CANCEL waits; -1: none does. The Exchange's mutex is held.
func (x *Exchange) canceledInQueue() int {
	return slices.IndexFunc(x.queue, func(e event) bool { return e.kind == evCancel })
}

var cancelingReason = []byte("canceling")

// overtake does what a CANCEL asks for that came while the script waited: nobody is called any more.
func (x *Exchange) overtake() {
	x.mu.Lock()
	i := x.canceledInQueue()
	if i < 0 {
		x.mu.Unlock()
		return
	}
	e := x.queue[i]
	x.queue = slices.Delete(x.queue, i, i+1)
	x.mu.Unlock()
	x.canceling(e.buf.Bytes())
	drop(&e.buf)
}

// noCancel reports whether a request asks for its branches not to be canceled (RFC 3841 9.1).
func noCancel(m *sipframe.Message) bool {
	values := m.Values(sipframe.HeaderRequestDisposition)
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		if sipframe.EqualFold(m.Bytes(v), "no-cancel") {
			return true
		}
	}
	return false
}
