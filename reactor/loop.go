package reactor

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/internal/admission"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/ring"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/wheel"
	"sipreactor/sipframe"
)

// What a loop can be asked to do for a connection.
const (
	evFlush     uint32 = 1 << iota // the outbox has something
	evHandshake                    // a handshaker is done with the machine
	evTimer                        // the timer went off
	evKill                         // the connection is condemned
	evWritable                     // the socket takes bytes again
	evRead                         // what it had in hand is worked off
	evSigned                       // the signature that its machine waits for is made
)

// loop is what the engine keeps for each event loop. All but mu and
// what it guards belongs to the loop's goroutine.
type loop struct {
	eng     *Engine
	poll    *poller.Loop
	slab    *sipframe.Buffer   // where plaintext of this readiness batch goes
	recs    []record           // records of the read under way
	fresh   int                // where in the slab the bytes of that read begin
	senders map[sender]*Source // of datagrams
	bags    []bag              // frames of the read under way, by shard
	idle    wheel.Wheel[conn, *conn]
	stat    loopCounters

	unacked []*conn // have written what was not acknowledged when we last looked
	looked  []*conn // the list that was looked through last

	host      *host // runs the Handler here; nil until it is needed
	cost      int64 // what a message takes the Handler, on average
	costly    int   // batches that are left to the workers
	listening bool  // the same as awake
	own       bool  // the wake-up under way is the loop's own
	gather    gather
	steps     steps
	awaiting  await

	blocked blocked

	policy  admission.Policy
	paused  ring.Ring[*conn] // brought the excess and are not read; the oldest first
	more    bool             // the read under way may have left something
	refuser *Worker          // answers what no worker is to have; nil until it is needed

	mu     sync.Mutex
	dirty  []*conn // connections with pending work
	ticked bool
	calmed bool    // what is paused may go on
	spare  []*conn // the list that was worked off last
	woken  bool    // Woken will be called
	awake  bool    // the loop looks at dirty before its callback ends

	seconds atomic.Int64  // the engine's seconds at the last tick
	rounds  atomic.Uint64 // ticks that it came to
}

func newLoop(e *Engine, on *poller.Loop) *loop {
	l := &loop{eng: e, policy: admission.New(e.cfg.QueueDelay), poll: on, bags: make([]bag, len(e.shards))}
	l.seconds.Store(e.seconds())
	l.idle.Start(l.seconds.Load())
	return l
}

// post asks the loop to do something for c and wakes it. Any goroutine.
func (l *loop) post(c *conn, what uint32) {
	if c.pending.Or(what) != 0 {
		return // it is on the list already
	}
	l.mu.Lock()
	l.dirty = append(l.dirty, c)
	first := l.mustWake()
	l.mu.Unlock()
	if first {
		l.poll.Wake()
	}
}

// mustWake tells whether what was just noted needs a wake-up. The lock is held.
func (l *loop) mustWake() bool {
	if l.woken || l.awake {
		return false
	}
	l.woken = true
	return true
}

// tick asks the loop to look after idle connections. Any goroutine.
func (l *loop) tick() {
	l.mu.Lock()
	l.ticked = true
	first := l.mustWake()
	l.mu.Unlock()
	if first {
		l.poll.Wake()
	}
}

// resume asks the loop to read what is paused. Any goroutine.
func (l *loop) resume() {
	l.mu.Lock()
	l.calmed = true
	first := l.mustWake()
	l.mu.Unlock()
	if first {
		l.poll.Wake()
	}
}

// Woken works off what was posted.
func (l *loop) Woken() {
	own := l.own
	l.own = false
	l.gather.ran()
	l.marked()
	// A timer that only looked has set nobody to work.
	if did := l.work(true); did&^(evFlush|evTimer) != 0 || !own && did&evTimer == 0 {
		l.awaiting.stirred = true
	}
	l.settle()
	l.step()
	l.settle()
	l.drop()
	l.again()
	l.await()
}

// work serves the connections that are on the list, and tells what was asked
// for them. woken tells that this is what the loop was woken for.
func (l *loop) work(woken bool) (did uint32) {
	l.mu.Lock()
	list, ticked, calmed := l.dirty, l.ticked, l.calmed
	l.dirty, l.spare, l.ticked, l.calmed = l.spare[:0], nil, false, false
	if woken {
		l.woken = false
	}
	l.mu.Unlock()
	if ticked {
		l.seconds.Store(l.eng.seconds())
		l.lookAll() // before it is idle: what was acknowledged counts
		l.idle.Advance(l.seconds.Load(), l.expire)
		l.rounds.Add(1)
	}
	for i, c := range list {
		list[i] = nil
		what := c.pending.Swap(0)
		did |= what
		l.serve(c, what)
	}
	if calmed {
		l.unpause()
	}
	l.mu.Lock()
	l.spare = list[:0]
	l.mu.Unlock()
	return did
}

// serve does what was asked for one connection.
func (l *loop) serve(c *conn, what uint32) {
	if what&evHandshake != 0 {
		l.handshaken(c)
	}
	if c.phase == phase.Closed {
		return
	}
	if what&evSigned != 0 {
		l.signed(c)
	}
	if what&evTimer != 0 {
		l.overdue(c)
		l.awaiting.stirred = l.awaiting.stirred || c.phase == phase.Closed
	}
	if what&evWritable != 0 && c.phase != phase.Closed {
		l.writable(c)
	}
	if what&evRead != 0 && c.phase != phase.Closed {
		l.release(c)
	}
	if what&evFlush != 0 && c.phase == phase.Established {
		l.flush(c)
	}
	if what&evKill != 0 && c.phase != phase.Closed {
		l.end(c)
	}
}

// bag puts an item with its shard, with a reference on the slab it is in.
func (l *loop) bag(c *conn, it item) {
	it.buf = l.slab.Retain()
	it.src, it.conn = &c.src, c
	if len(it.data) > 3 && string(it.data[:4]) == "SIP/" {
		l.answeredFrom(c)
		it.owed = c.unanswered.Load() > 0
	}
	c.inHand.Add(1)
	i := l.eng.shardOf(it.data)
	l.bags[i] = append(l.bags[i], it)
}

// dispatch hands the bags, which are of one connection (nil: of a datagram), to
// their shards. New requests that are too many are answered here, and so is what
// finds no room.
func (l *loop) dispatch(c *conn) {
	l.weigh(c)
	l.sift(c)
	if l.eng.cfg.Inline > 0 {
		l.inline()
	}
	for i, b := range l.bags {
		if len(b) == 0 {
			continue
		}
		l.awaiting.stirred = true
		s := l.eng.shards[i]
		if rest := b[len(b)-s.push(b, s.bound):]; len(rest) > 0 {
			l.overflow(s, rest)
		}
		clear(b)
		l.bags[i] = b[:0]
	}
}

// overflow deals with items that their shard has no room for: those that are
// under way already find as much room again, the rest is refused. If the Handler
// is no Overloader, they are dropped and counted; a connection whose framing is
// lost ends all the same.
func (l *loop) overflow(s *shard, rest []item) {
	for i := range rest {
		it := rest[i]
		if it.kind == itemMessage && urgent(it.data) && s.push(rest[i:i+1], 2*s.bound) == 0 {
			continue
		}
		l.stat.overflow.Add(1)
		if l.eng.refuses {
			l.refuse(it)
			continue
		}
		l.stat.dropped.Add(1)
		it.buf.Release()
		if it.conn != nil {
			it.conn.handled()
		}
		if it.kind == itemMalformed {
			it.conn.kill(malformed(it.defect))
		}
	}
}

// drop lets go of the slab when nothing of it is left to fill, so that an idle
// loop holds none.
func (l *loop) drop() {
	if l.slab != nil && len(l.slab.Free()) < sendqueue.RecordSize {
		l.slab.Release()
		l.slab = nil
	}
}

// Accept gets a peer's connection.
func (l *loop) Accept(n *poller.Incoming) {
	l.accept(n)
	l.await()
}

// Adopted gets a connection of ours that is up.
func (l *loop) Adopted(s *poller.Socket) {
	l.adopt(s.Owner.(*conn))
	l.soon()
}

// Read gets what one read brought.
func (l *loop) Read(s *poller.Socket, in []byte) {
	c := s.Owner.(*conn)
	l.read(c, in)
	l.settle()
	l.hold(c)
	l.unblock()
	l.mark()
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
		l.dispatch(nil)
	}
	l.settle()
	l.rest()
}

// Undelivered is told what the network says of a datagram.
func (l *loop) Undelivered(listener int, to netip.AddrPort, why error, quote []byte) {
	l.bounced(l.eng.sockets[listener], to, why, quote)
}

// Closed comes before the descriptor closes, whoever closes it.
func (l *loop) Closed(s *poller.Socket, err error) { l.lost(s.Owner.(*conn), err) }
