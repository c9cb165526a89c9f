package flow

import (
	"sync/atomic"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/slab"
	"sipreactor/reactor/internal/watch"
	"sipreactor/reactor/internal/wheel"
	"sipreactor/sipframe"
)

// program is what is done with what the connections of a loop bring, and when. A flow
// calls it, on its loop.
type program interface {
	connection.Owner
	crashes
	// Message takes a message of a connection, a view into the slab, until Dispatch hands
	// on what one read has brought.
	Message(c *connection.Conn, data []byte)
	// Malformed is Message for what has no framing any more.
	Malformed(c *connection.Conn, data []byte, defect *sipframe.Defect)
	Dispatch(c *connection.Conn)
	// Compute has the next step of a handshake computed, and Handshaken called then.
	Compute(c *connection.Conn)
	// Stirred tells that other goroutines were set to work.
	Stirred()
	// AnswersWait notes whether answers wait on a connection, for their being read or for
	// what was read before.
	AnswersWait(c *connection.Conn, wait bool)
	// Pause has readOn called when there is room for more of a connection that is held.
	Pause(c *connection.Conn)
}

// Flow is what a loop does with its connections from the moment their TCP is up: it shakes
// hands, reads, writes, looks at deadlines and closes. All of it is the loop's, but the
// counters and seconds, which anybody reads.
type Flow struct {
	all     *connection.Common
	program program
	Slab    slab.Slab // where plaintext of this readiness batch goes
	Idle    wheel.Wheel[connection.Conn, *connection.Conn]
	Stat    figures.LoopCounters

	unacked  []*connection.Conn // have written what was not acknowledged when we last looked
	looked   []*connection.Conn // the list that was looked through last
	lookedAt int64              // when that was

	blocked watch.Recent[*connection.Conn] // took no more a moment ago

	Seconds atomic.Int64 // the engine's seconds at the last tick
}

// Start readies a flow; all that its loop brings is the program's.
func (l *Flow) Start(all *connection.Common, p program) {
	l.all, l.program = all, p
	l.lookedAt = all.Now()
	l.Seconds.Store(all.Seconds())
	l.Idle.Start(l.Seconds.Load())
}

// Counters are the loop's. Any goroutine.
func (l *Flow) Counters() *figures.LoopCounters { return &l.Stat }

// Tick is told that a second is over.
func (l *Flow) Tick() {
	l.Seconds.Store(l.all.Seconds())
	l.lookAll() // before it is idle: what was acknowledged counts
	l.Idle.Advance(l.Seconds.Load(), l.expire)
}
