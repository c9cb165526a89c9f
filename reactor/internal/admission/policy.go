// Package admission decides when an event loop has more to do than it can, and how
// much of the excess it refuses. It owns nothing and knows no clock: the loop asks it,
// with the time.
//
// What has to wait waits in sockets, where nobody sees it. So the loop sends itself a
// mark, which takes its turn behind all that is ready: the time until it is back is
// what a message waits that arrives now. A closed loop of n peers keeps that at n
// messages' time, however busy it keeps the machine; only where more comes than is
// handled does it grow.
//
// A mark takes its turn behind one read of each connection. Where many ask and one
// answers, the answers would get a turn for many of the requests, and what is begun
// would not end: while answers wait unread, no new requests are wanted.
package admission

import "time"

const (
	// interval is how long there has to be too much at every look until new requests
	// are refused: a burst, or a machine that was away for a moment, is no overload
	// (RFC 8289 takes the least delay of such an interval for the same reason).
	interval = int64(100 * time.Millisecond)
	// memory is how long after that the next excess is taken at its word.
	memory = int64(time.Second)
	// refuseEvery is how many new requests are let in for one that is refused. To
	// refuse costs about a third of what it costs to serve: they take a sixteenth of
	// what there is.
	refuseEvery = 5
	// markEvery is how often a mark is sent while the loop has something to do, and
	// for how long it must have had: at low rates a mark would cost a wake-up more.
	markEvery = int64(5 * time.Millisecond)
)

// Policy is one loop's. One goroutine.
type Policy struct {
	target int64 // how long a message may wait, in ns; 0 = any time

	marked bool  // a mark is under way
	sent   int64 // when the last one was sent
	round  int64 // how long the last one took
	idle   int64 // when there was nothing to do

	answers int // connections whose answers wait; see Answers

	over  bool
	above int64 // since when every look has seen too much; 0 = the last one did not
	ended int64 // when over ended last; 0 = never

	let int // new requests that were let in since one was refused
}

// New makes the policy of a loop whose messages may wait so long; 0 is any time:
// then nothing is ever too much.
func New(target time.Duration) Policy { return Policy{target: int64(target)} }

// Mark reports whether the loop is to send itself a mark. It is asked whenever
// something was read.
func (p *Policy) Mark(now int64) bool {
	if p.target == 0 || p.marked || now-max(p.sent, p.idle) < markEvery {
		return false
	}
	p.marked, p.sent = true, now
	return true
}

// Came notes that the mark is back.
func (p *Policy) Came(now int64) {
	if p.marked {
		p.marked, p.round = false, now-p.sent
	}
}

// Idle notes that nothing is left to be read: who comes now waits for nobody.
func (p *Policy) Idle(now int64) { p.round, p.idle = 0, now }

// IdleWith notes that nothing was left to be read when there was nothing left for another
// policy's loop, whose goroutine does both.
func (p *Policy) IdleWith(o *Policy) {
	if o.idle > p.idle {
		p.Idle(o.idle)
	}
}

// Answers notes whether answers wait on a connection that is asked: so many that they
// wait for too long (Deep), or some that are not read for now. at is the connection's
// place; the zero value is ready.
func (p *Policy) Answers(at *bool, wait bool) {
	switch {
	case wait && !*at:
		p.answers++
	case !wait && *at:
		p.answers--
	}
	*at = wait
}

// Wait is how long a message that arrives now will wait for being read: what the
// last mark took, or the one under way already does.
func (p *Policy) Wait(now int64) int64 {
	if p.marked {
		return max(p.round, now-p.sent)
	}
	return p.round
}

// Overloaded reports whether no more new requests should be read, since those that are
// there use up half of the time that there is (the other half is the workers'), or
// answers wait.
func (p *Policy) Overloaded(now int64) bool {
	return p.target != 0 && (p.answers > 0 || p.Wait(now) > p.target/2)
}

// Deep reports whether a connection has more unread than there is time for, as far
// as one can tell: the last read brought got bytes and left unread ones, and the one
// before it was gap ago. A mark does not see that: it takes its turn behind
// one read of each connection.
func (p *Policy) Deep(unread, got int, gap int64) bool {
	return p.target != 0 && got > 0 && gap*int64(unread)/int64(got) > p.target/2
}

// Roomy reports whether what is not read may be: there is room, if not much.
func (p *Policy) Roomy(now int64) bool { return p.answers == 0 && p.Wait(now) <= p.target/4 }

// Look notes whether there is too much. It is asked at each read while there is, or
// was at the last one (Above).
func (p *Policy) Look(now int64, much bool) {
	switch {
	case !much:
		p.above = 0
		if p.over {
			p.over, p.ended = false, now
		}
	case p.above == 0:
		p.above = now
		p.over = p.ended != 0 && now-p.ended < memory
	case now-p.above >= interval:
		p.over = true
	}
}

// Above reports whether the last look saw too much.
func (p *Policy) Above() bool { return p.above != 0 }

// Over reports whether there has been too much for too long: new requests may be
// refused, as many as Refuse says.
func (p *Policy) Over() bool { return p.over }

// Refuse reports whether the next new request is to be refused: one in a few, whatever
// comes. It counts and measures no time: a process that gets little of a processor
// must refuse less as well.
func (p *Policy) Refuse() bool {
	if p.let < refuseEvery {
		p.let++
		return false
	}
	p.let = 0
	return true
}
