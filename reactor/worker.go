package reactor

import (
	"bytes"
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/internal/ring"
	"sipreactor/sipframe"
)

// Worker is one goroutine that runs the Handler.
type Worker struct {
	// Local is the Handler's own: scratch that it keeps for each worker so that
	// it allocates nothing a message.
	Local any

	eng     *Engine
	shard   *shard
	host    *host // nil but for a worker that is on a loop, or was when it began to wait
	leading bool
	fixed   bool  // it is a loop's own and never waits
	frame   Frame // the one under way
	hand    *conn // whose message in hand that is; nil once its Handler has waited
	done    uint  // messages that were led
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

// standAside hands the shard to a follower before a wait. It returns false
// when there are as many waiting goroutines as may be: the caller then must not
// wait. A nil worker has no shard.
func (w *Worker) standAside() bool {
	if w == nil {
		return true
	}
	switch {
	case w.fixed:
		w.shard.stat.waitersFull.Add(1)
		return false
	case !w.leading: // it has waited before
	case w.host != nil:
		if !w.host.leave() {
			return false
		}
	case !w.shard.handOver(w):
		return false
	}
	w.shard.stat.waits.Add(1)
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

// bag is the frames of one read that go to one shard.
type bag []item

// shard is a queue of messages with one leader that works it off in order, and
// followers of which one takes over before the leader waits for something.
type shard struct {
	eng   *Engine
	index int
	bound int // items that may wait

	mu      sync.Mutex
	work    sync.Cond       // the leader sleeps here
	lead    sync.Cond       // followers sleep here
	replies ring.Ring[item] // that are owed: before the queue, they end what is under way
	queue   ring.Ring[item]
	low     ring.Ring[item] // of connections that bring much: behind the queue
	led     bool
	asleep  bool // the leader is in work
	lent    bool // a loop has the lead while the leader sleeps
	idle    int  // followers asleep
	members int  // goroutines
	stop    bool

	pace  pace            // mu guards it
	cost  atomic.Int64    // what a message takes, in ns
	wait  atomic.Int64    // how long the last in the queue has to wait, in ns
	last  atomic.Int64    // the same for the last in the low-priority queue
	taken ring.Ring[item] // what the leader has off the queue; whoever leads owns it
	busy  atomic.Int64    // items that are not done

	beats atomic.Uint64 // how many beats the leaders came to
	asked uint64        // how many were asked for; Engine.pulse guards it

	datagrams sync.RWMutex // held while one is sent
	mute      bool         // none is sent any more; datagrams guards it

	_    [64]byte
	stat shardCounters
	_    [64]byte
}

func newShard(e *Engine, index, bound int) *shard {
	s := &shard{eng: e, index: index, bound: bound}
	s.work.L, s.lead.L = &s.mu, &s.mu
	return s
}

// push queues the items of a bag, which are of one connection, and wakes the
// leader. It returns how many did not fit, so that no more than bound wait.
func (s *shard) push(items []item, bound int) (refused int) {
	s.mu.Lock()
	if room := bound - s.waiting(); room < len(items) {
		refused = len(items) - max(room, 0)
		items = items[:len(items)-refused]
	}
	s.busy.Add(int64(len(items)))
	queue := &s.queue
	low := len(items) > 0 && items[0].conn != nil && items[0].conn.lowPriority()
	if low {
		queue = &s.low
	}
	for _, it := range items {
		if it.owed {
			s.replies.Push(it)
			continue
		}
		queue.Push(it)
		if low {
			it.conn.low.Add(1)
		}
	}
	s.foresee()
	wake := s.asleep && !s.lent && len(items) > 0
	s.mu.Unlock()
	if wake {
		s.work.Signal()
	}
	return refused
}

// waiting is how many items wait for the leader. The lock is held.
func (s *shard) waiting() int { return s.replies.Len() + s.queue.Len() + s.low.Len() }

// handOver makes a follower the leader.
func (s *shard) handOver(w *Worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == 0 {
		if s.members >= s.eng.cfg.Waiters {
			s.stat.waitersFull.Add(1)
			return false
		}
		s.spawn()
	}
	w.leading = false
	s.led = false
	s.stat.takeovers.Add(1)
	s.lead.Signal()
	return true
}

// spawn adds a goroutine. The lock is held.
func (s *shard) spawn() {
	s.members++
	s.eng.crew.Add(1)
	w := &Worker{eng: s.eng, shard: s}
	go w.run()
}

// spareFollowers is how many goroutines of a shard stay when nobody waits.
const spareFollowers = 2

// run follows until it may lead, leads until it hands over, and follows again.
func (w *Worker) run() {
	s := w.shard
	defer s.eng.crew.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for s.led && !s.stop {
			if s.idle >= spareFollowers {
				s.members--
				return
			}
			s.idle++
			s.lead.Wait()
			s.idle--
		}
		if s.led { // stopping, and somebody else leads
			s.members--
			return
		}
		s.led, w.leading = true, true
		for w.leading {
			if s.taken.Len() == 0 && !s.fetch() {
				s.led, w.leading = false, false
				s.members--
				s.lead.Broadcast()
				return
			}
			s.mu.Unlock()
			for w.leading && s.taken.Len() > 0 {
				it := s.taken.Pop()
				w.do(it)
				if w.done++; w.done%turn == 0 {
					runtime.Gosched()
				}
			}
			s.mu.Lock()
		}
	}
}

// What the leader takes at a time: of the low-priority queue a turn, of the queue two, and as
// many replies as all those requests may bring. After a turn it lets a loop have
// its processor: the runtime would take that only after 10 ms.
const (
	turn       = 16
	queueTurn  = 2 * turn
	repliesAll = 3 * (queueTurn + turn)
)

// fetch sleeps until there is work and takes some; false when the shard stops.
// The lock is held.
func (s *shard) fetch() bool {
	if cost := s.pace.rest(s.eng.now()); cost != 0 {
		s.cost.Store(cost)
	}
	for s.waiting() == 0 || s.lent {
		if s.stop && !s.lent {
			return false
		}
		s.asleep = true
		s.work.Wait()
		s.asleep = false
	}
	for range min(repliesAll, s.replies.Len()) {
		s.taken.Push(s.replies.Pop())
	}
	for range min(queueTurn, s.queue.Len()) {
		s.taken.Push(s.queue.Pop())
	}
	for range min(turn, s.low.Len()) {
		it := s.low.Pop()
		it.conn.low.Add(-1)
		s.taken.Push(it)
	}
	s.pace.begin(s.eng.now(), s.taken.Len())
	s.foresee()
	s.eng.eased()
	return true
}

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
	w.shard.busy.Add(-1)
}

// malformed is the close reason for a defect that lost the framing.
func malformed(d *sipframe.Defect) *Error {
	if d.Reason == sipframe.ReasonTooLarge {
		return because(MessageTooLarge, "")
	}
	return because(MalformedMessage, d.Reason)
}

// close ends the shard when its queue is worked off.
func (s *shard) close() {
	s.mu.Lock()
	s.stop = true
	s.mu.Unlock()
	s.work.Broadcast()
	s.lead.Broadcast()
}

// shardOf returns the shard of a message: all of a Call-ID go to one, so that a
// dialog stays in order.
func (e *Engine) shardOf(data []byte) int {
	if len(e.shards) == 1 {
		return 0
	}
	return int(maphash.Bytes(e.seed, callID(data)) % uint64(len(e.shards)))
}

// These are no literals where they are searched for: with bytes.Index inlined
// there, which a profile can bring about, those would be allocated a message.
var (
	callIDLine = []byte("\nCall-ID:")
	toLine     = []byte("\nTo:")
)

// callID finds the Call-ID's value without parsing the message. What it does
// not find is empty: those share a shard.
func callID(data []byte) []byte { return headerLine(data, callIDLine, "call-id", 'i') }

// headerLine finds the first line of a header's value without parsing the
// message: as it is usually written, or by its long name in any case or its
// short one, which is in lower case.
func headerLine(data, usual []byte, long string, short byte) []byte {
	if i := bytes.Index(data, usual); i >= 0 {
		return line(data[i+len(usual):])
	}
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 || i+2 >= len(data) {
			return nil
		}
		data = data[i+1:]
		var name int
		switch {
		case len(data) > len(long) && sipframe.EqualFold(data[:len(long)], long):
			name = len(long)
		case data[0]|0x20 == short:
			name = 1
		case data[0] == '\r' || data[0] == '\n':
			return nil
		default:
			continue
		}
		rest := bytes.TrimLeft(data[name:], " \t")
		if len(rest) > 0 && rest[0] == ':' {
			return line(rest[1:])
		}
	}
}

// line is the trimmed rest of a line.
func line(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	return bytes.TrimSpace(b)
}
