package reactor

import (
	"net/netip"
	"sync/atomic"

	"sipreactor/reactor/internal/admission"
	"sipreactor/reactor/internal/datagrams"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/glance"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/ring"
	"sipreactor/reactor/internal/scheduler"
	"sipreactor/reactor/internal/slab"
	"sipreactor/reactor/internal/watch"
	"sipreactor/reactor/internal/wheel"
)

// What a loop can be asked to do for a connection.
const (
	evFlush     uint32 = 1 << iota // the send queue has something
	evHandshake                    // a handshaker is done with the machine
	evTimer                        // the timer went off
	evClose                        // the connection is to close
	evWritable                     // the socket takes bytes again
	evRead                         // what it had in hand is worked off
	evSigned                       // the signature that its machine waits for is made
	evFinish                       // it is to close, when nothing of its peer is here
)

// loop is what the engine keeps for each event loop. All but mu and
// what it guards belongs to the loop's goroutine.
type loop struct {
	eng     *Engine
	index   int // from 0 on
	poll    *poller.Loop
	slab    slab.Slab // where plaintext of this readiness batch goes
	burst   datagrams.Burst[*Socket]
	senders datagrams.Sources[*Socket, Source]
	frames  [][]item // frames of the read under way, by shard
	handing bool     // they are being handed on
	lent    bool     // the lead of a shard is the loop's at the moment
	idle    wheel.Wheel[conn, *conn]
	stat    figures.LoopCounters

	unacked []*conn // have written what was not acknowledged when we last looked
	looked  []*conn // the list that was looked through last

	host    *host               // runs the Handler here; nil until it is needed
	hosts   []*host             // others that nothing runs on
	resumed resumed             // hosts whose wait is over
	allowed scheduler.Allowance // batches that it may handle here
	sched   scheduler.Scheduler[*conn]

	blocked watch.Recent[*conn] // took no more a moment ago

	policy  admission.Policy
	paused  ring.Ring[*conn] // brought the excess and are not read; the oldest first
	more    bool             // the read under way may have left something
	refuser *Worker          // answers what no worker is to have; nil until it is needed

	seconds atomic.Int64  // the engine's seconds at the last tick
	ticks   atomic.Uint64 // seconds that it came to
}

func newLoop(e *Engine, on *poller.Loop) *loop {
	l := &loop{eng: e, index: int(e.loops.Add(1)) - 1, policy: admission.New(e.cfg.QueueDelay), poll: on, frames: make([][]item, len(e.shards))}
	l.resumed.loop = l
	l.seconds.Store(e.seconds())
	l.idle.Start(l.seconds.Load())
	l.sched.Start(on, l, e.now, e.cfg.InlineHandshake)
	return l
}

// What a loop is asked that belongs to no connection.
const (
	signalTick scheduler.Signals = 1 << iota // a second is over
	signalRoom                               // what is paused may go on
	signalOver                               // a wait is over
)

// post asks the loop to do something for c and wakes it. Any goroutine.
func (l *loop) post(c *conn, what uint32) {
	if c.pending.Or(what) != 0 {
		return // it is on the list already
	}
	l.sched.Post(c)
}

// tick asks the loop to look after idle connections. Any goroutine.
func (l *loop) tick() { l.sched.Raise(signalTick) }

// resume asks the loop to read what is paused. Any goroutine.
func (l *loop) roomAgain() { l.sched.Raise(signalRoom) }

// Woken works off what was posted.
func (l *loop) Woken() {
	l.marked()
	l.sched.Woken()
	l.rest()
}

// Serve serves the connections that are on the list. The scheduler calls it.
func (l *loop) Serve(list []*conn, signals scheduler.Signals) scheduler.Effect {
	if signals&signalTick != 0 {
		l.seconds.Store(l.eng.seconds())
		l.lookAll() // before it is idle: what was acknowledged counts
		l.idle.Advance(l.seconds.Load(), l.expire)
		l.ticks.Add(1)
	}
	var did uint32
	for _, c := range list {
		what := c.pending.Swap(0)
		did |= what
		l.serve(c, what)
	}
	if signals&signalRoom != 0 {
		l.unpause()
	}
	if signals&signalOver != 0 {
		l.carryOn()
	}
	switch {
	case did&^(evFlush|evTimer) != 0:
		return scheduler.Stirs
	case did&evTimer != 0:
		return scheduler.Silent
	default:
		return scheduler.Usual
	}
}

// HandOff leaves a connection's next step to the handshakers.
func (l *loop) HandOff(j scheduler.Job) { l.eng.handshakers.Submit(j.(*conn)) }

// Computed takes a machine back whose step the loop has computed.
func (l *loop) Computed(j scheduler.Job) {
	c := j.(*conn)
	defer l.guard(c)
	l.handshaken(c)
}

// Rested lets go of the slab when nothing of it is left to fill, so that an idle loop
// holds none.
func (l *loop) Rested() { l.slab.Rest() }

// rest is the last thing in a callback.
func (l *loop) rest() {
	l.unpause()
	if l.sched.Rest() {
		l.policy.Idle(l.eng.now())
	}
}

// serve does what was asked for one connection.
func (l *loop) serve(c *conn, what uint32) {
	defer l.guard(c)
	if what&evHandshake != 0 {
		l.handshaken(c)
	}
	if c.life.At() == phase.Closed {
		return
	}
	if what&evSigned != 0 {
		l.signed(c)
	}
	if what&evTimer != 0 {
		l.overdue(c)
		if c.life.At() == phase.Closed {
			l.sched.Stirred()
		}
	}
	if what&evWritable != 0 && c.life.At() != phase.Closed {
		l.writable(c)
	}
	if what&evRead != 0 && c.life.At() != phase.Closed {
		l.resumeReading(c)
	}
	if what&evFlush != 0 && c.life.At() == phase.Established {
		l.flush(c)
	}
	if what&evFinish != 0 && c.life.At() == phase.Established {
		l.finish(c)
	}
	if what&evClose != 0 && c.life.At() != phase.Closed {
		l.proceed(c)
	}
}

// frame puts an item with its shard, with a reference on the slab it is in.
func (l *loop) frame(c *conn, it item) {
	i := l.eng.shardOf(it.data)
	it.src, it.conn = &c.src, c
	if len(it.data) > 3 && string(it.data[:4]) == "SIP/" {
		l.answeredFrom(c)
		it.owed = c.owed.Ours() > 0
	}
	it.buf = l.slab.Retain()
	c.reading.Taken()
	l.frames[i] = append(l.frames[i], it)
}

// dispatch hands the frames of the read, which are of one connection (nil: of a datagram), to
// their shards. New requests that are too many are answered here, and so is what
// finds no room.
func (l *loop) dispatch(c *conn) {
	l.handing = true
	l.weigh(c)
	l.sift(c)
	if l.eng.cfg.Inline > 0 {
		l.inline()
	}
	l.hand()
	l.handing = false
}

// hand gives the shards what is left of the frames.
func (l *loop) hand() {
	for i, b := range l.frames {
		if len(b) == 0 {
			continue
		}
		l.sched.Stirred()
		s := l.eng.shards[i]
		if rest := b[len(b)-s.push(b, s.bound):]; len(rest) > 0 {
			l.overflow(s, rest)
		}
		clear(b)
		l.frames[i] = b[:0]
	}
}

// overflow deals with items that their shard has no room for: those that are
// under way already find as much room again, the rest is refused. If the Handler
// is no Overloader, they are dropped and counted; a connection whose framing is
// lost ends all the same.
func (l *loop) overflow(s *shard, rest []item) {
	for i := range rest {
		it := rest[i]
		if it.kind == itemMessage && glance.Urgent(it.data) && s.push(rest[i:i+1], 2*s.bound) == 0 {
			continue
		}
		l.stat.Overflow.Add(1)
		if l.eng.refuses {
			l.refuse(it)
			continue
		}
		l.stat.Dropped.Add(1)
		it.buf.Release()
		if it.conn != nil {
			it.conn.handled()
		}
		if it.kind == itemMalformed {
			it.conn.askClose(malformed(it.defect))
		}
	}
}

// Accept gets a peer's connection.
func (l *loop) Accept(n *poller.Incoming) {
	l.accept(n)
	l.rest()
}

// Adopted gets a connection of ours that is up.
func (l *loop) Adopted(s *poller.Socket) {
	l.adopt(s.Owner.(*conn))
	l.sched.Soon()
}

// Read gets what one read brought.
func (l *loop) Read(s *poller.Socket, in []byte) {
	c := s.Owner.(*conn)
	l.read(c, in)
	l.sched.Settle()
	l.hold(c)
	l.unblock()
	l.mark()
	l.sched.Soon()
	l.rest()
}

// Datagrams gets what waits at a socket of UDP.
func (l *loop) Datagrams(in *poller.Datagrams) {
	socket := l.eng.sockets[in.Listener]
	for in.Next() {
		for i := range in.Len() {
			from, data := in.At(i)
			l.datagram(socket, from, data)
		}
		l.dispatchDatagrams()
	}
	l.sched.Settle()
	l.sched.Soon()
	l.rest()
}

// Undelivered is told what the network says of a datagram.
func (l *loop) Undelivered(listener int, to netip.AddrPort, why error, quote []byte) {
	defer l.guardDatagram(to)
	l.bounced(l.eng.sockets[listener], to, why, quote)
}

// Closed comes before the descriptor closes, whoever closes it.
func (l *loop) Closed(s *poller.Socket, err error) {
	c := s.Owner.(*conn)
	defer l.guardLast(c)
	l.closed(c, err)
}
