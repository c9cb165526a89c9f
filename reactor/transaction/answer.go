package transaction

import "time"

// completed is called when a branch has its final response and that is no 2xx: 16.7 from item 4 on.
func (t *Transaction) completed(b *Branch) {
	if t.status != 0 || t.silent || !t.current(b) {
		return
	}
	// An address that does not serve is no answer while there is another (RFC 3263 4.3).
	if b.unserved() && !t.canceled && t.user.Retry(t, b) && b.status == 0 {
		return
	}
	if b.status < 600 && (t.pending() > 0 || t.waits > 0 && !t.canceled) {
		return
	}
	t.cancelOthers(b) // all of them for a 6xx, else the minor ones
	if !t.deciding {  // else Resume looks
		t.decide()
	}
}

// current reports whether the branch is of the fork that an answer is to come from.
func (t *Transaction) current(b *Branch) bool { return b.Index >= int(t.fork) && !t.undone }

// succeeded passes a 2xx on: every one for an INVITE, the first for another request (16.7 item 5).
func (t *Transaction) succeeded(b *Branch, code int) {
	if b.status == 0 || b.local {
		b.status, b.local = int16(code), false
	}
	t.passed(b, code)
	if !t.KeepPending {
		t.cancelOthers(b)
	}
}

// passed passes a 2xx on, if that is what it means to the server side.
func (t *Transaction) passed(b *Branch, code int) bool {
	if t.drive(Success)&SendResponse == 0 {
		return false
	}
	if t.status == 0 {
		t.status = int16(code)
		t.noMore()
	}
	t.user.Relay(t, b)
	return true
}

// Former takes a 2xx to the INVITE of an address that was given up for the branch's present one: its callee has a call. It
// goes upstream as long as the caller has no other final response, and what the branch tries now is canceled with the
// others.
func (t *Transaction) Former(now time.Duration, b *Branch, code int) {
	t.enter(now)
	defer t.leave()
	t.code = int16(code)
	if t.status < 300 && t.passed(b, code) && !t.KeepPending {
		t.cancelOthers(nil)
	}
}

// late reports whether a 2xx of a branch that we gave up, by fr_timeout or for its connection, is still passed on: its callee
// has a call, and the caller has no other final response.
func (t *Transaction) late(b *Branch) bool {
	return t.Invite() && (b.request.state == Terminated || b.request.state == Unheard) && (b.local || b.status/100 == 2) && t.status < 300
}

// unserved reports whether the branch's address gave no answer that counts, and one is still wanted.
func (b *Branch) unserved() bool {
	return !b.waiting && b.cancel == nil && (b.status == 503 || b.status == 408 && b.local && b.last == 0)
}

// last6xx reports whether a branch of the last fork was answered with a 6xx.
func (t *Transaction) last6xx() bool {
	b := best(t.branches[t.fork:])
	return b != nil && b.status >= 600
}

// decide asks the user what a failure leads to.
func (t *Transaction) decide() {
	t.deciding, t.undone = true, true
	t.user.Failed(t, t.Best())
}

// Resume says that the user has decided: it has added and launched branches, responded, or neither. Then the best response
// goes upstream.
func (t *Transaction) Resume(now time.Duration) {
	t.enter(now)
	defer t.leave()
	if !t.deciding {
		return
	}
	added := !t.undone
	t.deciding, t.undone = false, false
	if t.status != 0 || t.silent || t.server.Over() {
		return
	}
	last := best(t.branches[t.fork:])
	if more := last == nil || last.status < 600; more && (added && t.pending() > 0 || t.waits > 0 && !t.canceled) {
		t.undone = !added // those that are injected are a fork of their own
		return
	}
	if added && last != nil { // of the new ones, none is left already
		t.decide()
		return
	}
	best := t.Best()
	switch {
	case best == nil && t.canceled:
		t.respond(nil, 487)
	case best == nil && t.waited:
		t.respond(nil, 408)
	case best == nil:
		t.respond(nil, 500)
	case !t.Invite() && best.local && best.status == 408:
		t.silent = true
		t.drive(GiveUp)
		t.user.Lost(t, LostAnswer)
	case best.status == 503 && !t.Own: // our own state is not the peer's (16.7 item 6)
		t.respond(best, 500)
	default:
		t.respond(best, best.Status())
	}
}

// Best returns the branch whose final response is the one to send (16.7 item 6): of the last fork, or if nothing of that
// could be sent, of those before. It is a 6xx, else of the lowest class; of 4xx a challenge before the others and a 408
// last, of 5xx a 503 last, else the lowest code, and of equals the first branch. nil: there is none.
func (t *Transaction) Best() *Branch {
	if b := best(t.branches[t.fork:]); b != nil {
		return b
	}
	return best(t.branches)
}

func best(of []*Branch) (best *Branch) {
	for _, b := range of {
		if b.Status() >= 300 && !b.unsent && (best == nil || rank(b.Status()) < rank(best.Status())) {
			best = b
		}
	}
	return best
}

// rank orders final responses, the best first.
func rank(code int) int {
	switch {
	case code >= 600:
		return 0
	case code == 401 || code == 407:
		return 4000 // both alike: the first branch's
	case code == 408:
		return 4999
	case code == 503:
		return 5999
	case code >= 400 && code < 500:
		return 4001 + code - 400
	default:
		return 10 * code
	}
}

// Challenges returns the branches of the last fork that were answered by a challenge, with which the answer's is to be
// put together (16.7 item 7), in dst's memory.
func (t *Transaction) Challenges(dst []*Branch) []*Branch {
	dst = dst[:0]
	for _, b := range t.branches[t.fork:] {
		if b.status == 401 || b.status == 407 {
			dst = append(dst, b)
		}
	}
	return dst
}
