package transaction

// What the failure of a branch leads to: its next address, or of all of them, the script's failure_route.

// Retry sends the branch's request to the next address of its destination: User.
func (x *Exchange) Retry(_ *Transaction, b *Branch) bool {
	leg := leg(b)
	if x.noFail || leg.own == nil || !leg.way.More() || leg.try == 1<<tryBits-1 || x.request == nil {
		return false
	}
	o := x.layer.context(x.c)
	defer x.layer.putContext(o)
	_ = o.Begin(x.request.Bytes(), x.src)
	defer o.End()
	o.Restore(leg.own)
	if b.local && b.status == 408 {
		leg.unheard |= 1 << leg.try
	}
	leg.try++
	drop(&leg.sent)
	before := x.rc
	x.rc = o
	defer func() { x.rc = before }()
	return x.Relaunch(b, leg.way.Reliable()) == nil
}

// Failed asks the script what a failure leads to: User.
func (x *Exchange) Failed(t *Transaction, best *Branch) {
	if best != nil {
		x.tell(Failing, leg(best), best.Status(), nil)
	}
	s := x.layer.user()
	if s == nil || x.origin != nil || !s.Armed(x) || x.request == nil {
		x.Resume(x.layer.now())
		return
	}
	o := x.restored()
	o.ResetDestination()
	var won *Leg
	if best != nil {
		won = leg(best)
	}
	before := x.rc
	x.rc = o
	s.Failure(o, x, won)
	x.rc = before
	o.End()
	x.layer.putContext(o)
	x.Resume(x.layer.now())
}
