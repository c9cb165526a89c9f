package reactor

import (
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/workers"
	"sipreactor/sipframe"
)

// Worker is one goroutine that runs the Handler.
type Worker struct {
	// Local is the Handler's own: scratch that it keeps for each worker so that
	// it allocates nothing a message.
	Local any

	eng    *Engine
	shard  *shard
	host   *host // nil but for a worker that is on a loop, or was when it began to wait
	member workers.Member
	fixed  bool  // it is a loop's own and never waits
	frame  Frame // the one under way
	hand   *conn // whose message in hand that is; nil once its Handler has waited
}

// Engine returns the engine that the worker belongs to.
func (w *Worker) Engine() *Engine { return w.eng }

// Wait runs f, which may block: a follower takes the shard over meanwhile. It
// returns false without a call of f when as many goroutines wait as may
// (Config.Waiters): who leads a shard never waits.
func (w *Worker) Wait(f func()) bool {
	if !w.standAside() {
		return false
	}
	f()
	return true
}

// standAside hands the shard to a follower before a wait that blocks, and leaves the loop.
// It returns false when there are as many waiting goroutines as may be: the caller then
// must not wait. A nil worker has no shard.
func (w *Worker) standAside() bool {
	if !w.aside() {
		return false
	}
	if w != nil && w.host != nil && !w.host.blocks {
		w.host.blocks = true
		w.host.Pause()
	}
	return true
}

// aside hands the shard to a follower before a wait of any kind: see standAside.
func (w *Worker) aside() bool {
	if w == nil {
		return true
	}
	switch {
	case w.fixed:
		w.shard.stat.WaitersFull.Add(1)
		return false
	case !w.member.Leading: // it has waited before
	case w.host != nil && !w.host.Leave(), w.host == nil && !w.shard.HandOver(&w.member):
		w.shard.stat.WaitersFull.Add(1)
		return false
	default:
		w.shard.stat.Takeovers.Add(1)
	}
	w.shard.stat.Waits.Add(1)
	w.handled()
	return true
}

// handled ends the time in which the message under way is in hand.
func (w *Worker) handled() {
	if c := w.hand; c != nil {
		w.hand = nil
		c.handled()
	}
}

type itemKind uint8

const (
	itemMessage itemKind = iota
	itemMalformed
	itemUndelivered
	itemOverload
	itemBeat // Pulse asks whether the shard works
	itemTask
)

// item is one thing for the Handler.
type item struct {
	kind    itemKind
	data    []byte
	buf     *sipframe.Buffer // a reference of its own
	src     *Source
	conn    *conn // that it came by; nil for datagrams and what is ours. Malformed: it closes afterwards
	defect  *sipframe.Defect
	lost    *Undelivered
	task    Task
	owed    bool // a response by a connection that owes some
	rescued bool // the Handler has had it a second time
}

// First: what ends a request that is under way.
func (it item) First() bool { return it.owed }

// Low counts the item among those of its connection that wait behind the others.
func (it item) Low(n int) { it.conn.reading.Low(n) }

// do runs the Handler for one item.
func (w *Worker) do(it item) {
	w.frame, w.hand = Frame{Data: it.data, Src: it.src, buf: it.buf}, it.conn
	w.handle(&it)
	if it.kind == itemMalformed {
		it.conn.askClose(malformed(it.defect))
	}
	if it.buf != nil {
		it.buf.Release()
	}
	w.handled()
	w.shard.Done()
}

// malformed is the close reason for a defect that lost the framing.
func malformed(d *sipframe.Defect) *Error {
	if d.Reason == sipframe.ReasonTooLarge {
		return reason.Because(MessageTooLarge, "")
	}
	return reason.Because(MalformedMessage, d.Reason)
}
