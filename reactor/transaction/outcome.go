package transaction

// Relay sends the response at hand upstream: User.
func (x *Exchange) Relay(_ *Transaction, b *Branch) {
	code := int(x.Transaction.code)
	if x.dropped {
		return
	}
	if x.origin != nil {
		x.arrived(code, x.c.Received())
		return
	}
	x.tell(ResponseOut, leg(b), code, nil)
	s := x.layer.scratchOf(x.c)
	var err error
	if s.b, err = x.c.WriteResponse(s.b[:0], x.up.Proto()); err == nil {
		err = x.upstream(s.b, code)
	}
	x.c.CountResponse(err, x.peer())
	x.shard.stat.add(statRelayed)
	if code >= 200 {
		x.finished(code, s.b)
	}
}

// Keep keeps the response at hand: User.
func (x *Exchange) Keep(_ *Transaction, b *Branch) {
	leg := leg(b)
	drop(&leg.response)
	if x.origin != nil {
		leg.response = hoard(x.c.Received())
		return
	}
	s := x.layer.scratchOf(x.c)
	var err error
	if s.b, err = x.c.WriteResponse(s.b[:0], x.up.Proto()); err == nil {
		leg.response = hoard(s.b)
	}
}

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

// Lost says what became of an answer: User.
func (x *Exchange) Lost(_ *Transaction, why Loss) {
	switch why {
	case LostAnswer:
		x.shard.stat.add(statNoAnswer)
		if x.origin != nil {
			x.arrived(408, nil)
		}
		x.settle()
	case LostUpstream:
		x.settle()
	case LostAck:
		x.shard.stat.add(statNoAck)
	}
	x.tell(Lost, nil, 0, nil)
}

// Gone ends the Exchange: User.
func (x *Exchange) Gone(*Transaction) {
	x.tellOver()
	h := x.handle.Load()
	if x.origin == nil {
		x.layer.requests.remove(x.key, h)
	}
	if x.merged {
		x.layer.merges.remove(x.merge, h)
	}
	if x.indexed {
		x.layer.invites.remove(x.invited.Load(), h)
	}
	if x.answered != 0 {
		x.layer.answers.remove(x.answered, h)
	}
	x.mu.Lock()
	x.over = true
	x.handle.Store(0)
	x.mu.Unlock()
	x.layer.table.remove(h)
}

// routed is called when the request's script is done.
func (x *Exchange) routed() {
	if x.over {
		return
	}
	// A script that has made a transaction and does nothing with it leaves nobody waiting.
	if x.status == 0 && !x.silent && x.pending() == 0 && !x.deciding && !x.kept && x.waits == 0 {
		x.Transaction.Respond(x.layer.now(), 500)
	}
}
