package loops

import (
	"net/netip"
	"sync/atomic"

	"sipreactor/reactor/internal/admission"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/datagrams"
	"sipreactor/reactor/internal/dispatch"
	"sipreactor/reactor/internal/flow"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/ring"
	"sipreactor/reactor/internal/scheduler"
	"sipreactor/sipframe"
)

// Loop is what the engine keeps for each event loop. All of it belongs to the loop's
// goroutine, but what says otherwise.
type Loop struct {
	flow.Flow
	common  *Common
	Index   int // from 0 on
	Poll    *poller.Loop
	burst   datagrams.Burst[*message.Socket]
	senders datagrams.Sources[*message.Socket, message.Source]
	frames  [][]dispatch.Item // frames of the read under way, by shard
	handing bool              // they are being handed on
	lent    bool              // the lead of a shard is the loop's at the moment

	Inline dispatch.Inline // runs the Handler here
	Sched  scheduler.Scheduler[*connection.Conn]

	policy  admission.Policy
	paused  ring.Ring[*connection.Conn] // brought the excess and are not read; the oldest first
	more    bool                        // the read under way may have left something
	refuser *dispatch.Place             // answers what no worker is to have; nil until it is needed

	Ticks atomic.Uint64 // seconds that it came to
}

// NewLoop makes one, as the poller asks for it.
func NewLoop(a *Common, on *poller.Loop) *Loop {
	l := &Loop{common: a, Index: int(a.made.Add(1)) - 1, policy: admission.New(a.QueueDelay), Poll: on, frames: make([][]dispatch.Item, len(a.Dispatcher.Shards))}
	if l.Index == 0 {
		a.first = l
	}
	l.Inline.Init(a.Dispatcher, l, l.Index, a.Inline)
	l.Flow.Start(a.Conns, l)
	l.Sched.Start(on, l, a.Conns.Now, a.InlineHandshake, &a.Company)
	return l
}

// What a loop is asked that belongs to no connection.
const (
	signalTick scheduler.Signals = 1 << iota // a second is over
	signalRoom                               // what is paused may go on
	signalOver                               // a wait is over
)

// Post asks the loop to do something for c and wakes it. Any goroutine.
func (l *Loop) Post(c *connection.Conn, what uint32) {
	if c.Ask(what) { // else it is on the list already
		l.Sched.Post(c)
	}
}

// ASecond tells the loop that a second is over. Any goroutine.
func (l *Loop) ASecond() { l.Sched.Raise(signalTick) }

// roomAgain asks the loop to read what is paused. Any goroutine.
func (l *Loop) roomAgain() { l.Sched.Raise(signalRoom) }

// Woken works off what was posted.
func (l *Loop) Woken() {
	l.marked()
	l.Sched.Woken()
	l.rest()
}

// Serve serves the connections that are on the list. The scheduler calls it.
func (l *Loop) Serve(list []*connection.Conn, signals scheduler.Signals) scheduler.Effect {
	if signals&signalTick != 0 {
		l.Flow.Tick()
		l.Ticks.Add(1)
	}
	var did uint32
	for _, c := range list {
		if c.Loop != connection.Owner(l) {
			did |= connection.EvFlush
			l.visit(c)
			continue
		}
		what := c.Asked()
		did |= what
		l.serve(c, what)
	}
	if signals&signalRoom != 0 {
		l.unpause()
	}
	if signals&signalOver != 0 {
		l.Inline.CarryOn()
	}
	switch {
	case did&^(connection.EvFlush|connection.EvTimer) != 0:
		return scheduler.Stirs
	case did&connection.EvTimer != 0:
		return scheduler.Silent
	default:
		return scheduler.Usual
	}
}

// HandOff leaves a connection's next step to the handshakers.
func (l *Loop) HandOff(j scheduler.Job) { l.common.Handshakers.Submit(j.(*connection.Conn)) }

// Computed takes a machine back whose step the loop has computed.
func (l *Loop) Computed(j scheduler.Job) {
	c := j.(*connection.Conn)
	defer l.Guard(c)
	l.Handshaken(c)
}

// Rested lets go of the slab when nothing of it is left to fill, so that an idle loop
// holds none.
func (l *Loop) Rested() { l.Slab.Rest() }

// rest is the last thing in a callback.
func (l *Loop) rest() {
	for {
		l.unpause()
		idle, found := l.Sched.Rest()
		if idle {
			l.policy.Idle(l.common.Conns.Now())
		}
		if found&poller.Others != 0 {
			for _, of := range l.Poll.Found() {
				l.attend(of)
			}
		}
		if found != poller.Others {
			return
		}
	}
}

// serve does what was asked for one connection.
func (l *Loop) serve(c *connection.Conn, what uint32) {
	defer l.Guard(c)
	if what&connection.EvHandshake != 0 {
		l.Handshaken(c)
	}
	if c.At() == phase.Closed {
		return
	}
	if what&connection.EvSigned != 0 {
		l.Signed(c)
	}
	if what&connection.EvTimer != 0 {
		l.Overdue(c)
		if c.At() == phase.Closed {
			l.Sched.Stirred()
		}
	}
	if what&connection.EvWritable != 0 && c.At() != phase.Closed {
		l.Writable(c)
	}
	if what&connection.EvRead != 0 && c.At() != phase.Closed {
		l.ResumeReading(c)
	}
	if what&connection.EvFlush != 0 && c.At() == phase.Established {
		l.Flush(c)
	}
	if what&connection.EvFinish != 0 && c.At() == phase.Established {
		l.Finish(c)
	}
	if what&connection.EvClose != 0 && c.At() != phase.Closed {
		l.Proceed(c)
	}
}

// frame puts an item with its shard, with a reference on the slab it is in.
func (l *Loop) frame(c *connection.Conn, it dispatch.Item) {
	i := l.common.Dispatcher.Of(it.Data)
	it.Src, it.Conn = &c.Src, c
	if len(it.Data) > 3 && string(it.Data[:4]) == "SIP/" {
		l.AnsweredFrom(c)
		it.Owed = c.Owed.Ours() > 0
	}
	it.Buf = l.Slab.Retain()
	c.Reading.Taken()
	l.frames[i] = append(l.frames[i], it)
}

// Message and Malformed keep what a connection has brought until Dispatch.
func (l *Loop) Message(c *connection.Conn, data []byte) {
	l.frame(c, dispatch.Item{Kind: dispatch.Message, Data: data})
}

// Malformed is Message for what has no framing any more.
func (l *Loop) Malformed(c *connection.Conn, data []byte, defect *sipframe.Defect) {
	l.frame(c, dispatch.Item{Kind: dispatch.Malformed, Data: data, Defect: defect})
}

// Compute has the next step of a handshake computed: by the loop, soon, or by a
// handshaker.
func (l *Loop) Compute(c *connection.Conn) { l.Sched.Compute(c) }

// Defer puts off wake-ups: a callback that runs the Handler looks at its end.
func (l *Loop) Defer() { l.Sched.Defer() }

// WaitOver has the loop carry on a message whose wait is over. Any goroutine.
func (l *Loop) WaitOver() { l.Sched.Raise(signalOver) }

// Lent and Returned gather the datagrams that the Handler sends on the loop. A panic of more
// than the Handler in between ends the process: see Crashed.
func (l *Loop) Lent() {
	l.lent = true
	l.burst.Open()
}

// Returned sends them, before anybody else has the shard.
func (l *Loop) Returned() {
	l.burst.Close(l)
	l.lent = false
}

// Stirred tells the scheduler that other goroutines were set to work.
func (l *Loop) Stirred() { l.Sched.Stirred() }

// Dispatch hands the frames of the read, which are of one connection (nil: of a datagram), to
// their shards. New requests that are too many are answered here, and so is what
// finds no room.
func (l *Loop) Dispatch(c *connection.Conn) {
	l.handing = true
	l.weigh(c)
	l.sift(c)
	l.Inline.Run(l.frames)
	l.hand()
	l.handing = false
}

// hand gives the shards what is left of the frames.
func (l *Loop) hand() {
	for i, b := range l.frames {
		if len(b) == 0 {
			continue
		}
		l.Sched.Stirred()
		s := l.common.Dispatcher.Shards[i]
		if rest := b[len(b)-s.Take(b):]; len(rest) > 0 {
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
func (l *Loop) overflow(s *dispatch.Shard, rest []dispatch.Item) {
	for i := range rest {
		it := rest[i]
		if s.TakeUrgent(rest[i : i+1]) {
			continue
		}
		l.Stat.Overflow.Add(1)
		if l.common.Refuses {
			l.refuse(it)
			continue
		}
		l.Stat.Dropped.Add(1)
		it.Buf.Release()
		if it.Conn != nil {
			it.Conn.Handled()
		}
		if it.Kind == dispatch.Malformed {
			it.Conn.AskClose(dispatch.LostFraming(it.Defect))
		}
	}
}

// Accept gets a peer's connection.
func (l *Loop) Accept(n *poller.Incoming) {
	l.accept(n)
	l.rest()
}

// Adopted gets a connection of ours that is up.
func (l *Loop) Adopted(s *poller.Socket) {
	l.Adopt(s.Owner.(*connection.Conn))
	l.Sched.Soon()
}

// Read gets what one read brought.
func (l *Loop) Read(s *poller.Socket, in []byte) {
	c := s.Owner.(*connection.Conn)
	l.take(c, in)
	l.Sched.Settle()
	l.Hold(c)
	l.Unblock()
	l.mark()
	l.Sched.Soon()
	l.rest()
}

// Datagrams gets what waits at a socket of UDP.
func (l *Loop) Datagrams(in *poller.Datagrams) {
	socket := l.common.Sockets[in.Listener]
	for in.Next() {
		for i := range in.Len() {
			from, data := in.At(i)
			l.datagram(socket, from, data)
		}
		l.dispatchDatagrams()
	}
	l.Sched.Settle()
	l.Sched.Soon()
	l.rest()
}

// Undelivered is told what the network says of a datagram.
func (l *Loop) Undelivered(listener int, to netip.AddrPort, why error, quote []byte) {
	defer l.guardDatagram(to)
	l.bounced(l.common.Sockets[listener], to, why, quote)
}

// Closed comes before the descriptor closes, whoever closes it.
func (l *Loop) Closed(s *poller.Socket, err error) {
	c := s.Owner.(*connection.Conn)
	defer l.GuardLast(c)
	l.SocketCloses(c, err)
}

// Said gets a datagram of a line.
func (l *Loop) Said(n *poller.Line, in []byte) {
	l.Sched.Defer()
	n.Got(in)
	l.Inline.CarryOn()
	l.Sched.Settle()
	l.Sched.Soon()
	l.rest()
}
