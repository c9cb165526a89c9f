package transaction

// How an Exchange ends: what is let go of once the request is answered, and what is left behind a transaction that is over.

// finished is called when the final response has gone upstream, each one of several.
func (x *Exchange) finished(code int, text []byte) {
	if !x.settled {
		x.shard.stat.class(code)
		x.settle()
	}
	x.tell(Answered, x.at, code, text)
	if code >= 300 && x.merged { // who was refused may come by another way
		x.merged = false
		x.layer.merges.remove(x.merge, x.handle.Load())
	}
	x.forget()
}

// forget lets go of what is of no use once the request is answered.
func (x *Exchange) forget() {
	for _, leg := range x.Legs() {
		drop(&leg.response)
		x.layer.putChanges(leg)
		if leg.cancel != nil && leg.cancel.state < Completed {
			continue // the CANCEL may have to go out again
		}
		switch s := leg.request.state; {
		case s == Accepted, s == Terminated, s == Completed && (leg.way.Reliable() || !x.Invite()):
			drop(&leg.sent)
		}
	}
	drop(&x.request)
	x.layer.putBase(x)
}

// settle notes once that the request has its final response, or gets none.
func (x *Exchange) settle() {
	if !x.settled {
		x.settled = true
		x.layer.owed.Add(-1)
	}
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
