package connection

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connlog"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/framing"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/owed"
	"sipreactor/reactor/internal/peek"
	"sipreactor/reactor/internal/peers"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reading"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/websocket"
	"sipreactor/reactor/internal/wheel"
)

// Conn is one connection, from accept or the first thought of connecting to
// its end. Who owns what stands with each group of fields. What one phase alone has
// stands in a value of its own, which is there in that phase only: see package phase.
type Conn struct {
	// Set before anybody else can see the connection.
	ID      message.Handle
	Src     message.Source // Local of a dialled one is set when its connect begins
	Common  *Common
	Config  *transport.StreamConfig
	Born    time.Time
	Target  message.Target // what a dialled connection is for
	Probing bool           // it was opened to see whether a destination is back

	// The peer index's lock guards this.
	indexed peers.Place

	Loop Owner
	Own  Owned // the owner's alone

	// What of these anybody may call says so.
	Reading reading.Reading // whether it is read, and what is in hand
	Carried figures.Carried // counted by the loop
	Owed    owed.Ledger     // what the two ends owe each other

	active    atomic.Int64  // second of the last message, ping or acknowledgement
	keep      atomic.Int64  // second until which it lives on anyway; see KeepFor
	userKnown atomic.Int64  // second until which its user is known; see Know
	asked     atomic.Uint32 // what the loop is asked to do; see Ask

	// What mu guards others see; see seen.go.
	mu      sync.Mutex
	life    phase.Life
	blocked bool // the socket takes nothing more: the connect queue watches it
	half    bool // the peer says nothing more and waits for responses: nothing else is written
	out     sendqueue.Queue
	tls     tlsSummary
	proof   reuse.Proof // Self and Meant are set with the target
}

// Owned is what the owner of a connection alone touches, without a lock: the connect queue
// while connecting, then the loop. Whoever else has a Conn leaves its Own alone.
type Owned struct {
	Sock      poller.Socket
	Codec     codec.Codec
	Dial      *Dialing              // of ours, until it is established
	Handshake *handshakes.Handshake // while handshaking
	Framing   framing.Framing       // cuts what is read
	Share     sourcelimit.Place     // what it counts to its source

	Flight      sendqueue.Flight         // being written
	Unacked     sendqueue.Unacknowledged // written, and not known to be acknowledged
	Listed      bool                     // the loop looks at that every second
	Ending      bool                     // an orderly end waits for what is still to be written
	Waits       deadlines.Deadlines      // what it waits for
	MessageLate bool                     // the message had its moment; see behind
	Stall       sendqueue.Stall          // since when the peer takes nothing

	wheel    wheel.Link[Conn]
	answered int64 // second, plus one, in which the back-off table was last told of an answer
	known    bool  // the connect queue has its descriptor, perhaps from an earlier watch
}

// Ask notes what the loop is asked to do for the connection, and reports whether it was
// asked nothing before. Any goroutine.
func (c *Conn) Ask(what uint32) (first bool) { return c.asked.Or(what) == 0 }

// AskedOnly takes what the loop was asked to do if it is that alone, and reports whether it
// did. Loop only.
func (c *Conn) AskedOnly(what uint32) bool { return c.asked.CompareAndSwap(what, 0) }

// Asked takes what the loop was asked to do. Loop only.
func (c *Conn) Asked() uint32 { return c.asked.Swap(0) }

// What a loop can be asked to do for a connection.
const (
	EvFlush     uint32 = 1 << iota // the send queue has something
	EvHandshake                    // a handshaker is done with the machine
	EvTimer                        // the timer went off
	EvClose                        // the connection is to close
	EvWritable                     // the socket takes bytes again
	EvRead                         // what it had in hand is worked off
	EvSigned                       // the signature that its machine waits for is made
	EvFinish                       // it is to close, when nothing of its peer is here
)

// Speaks chooses how messages stand in the stream, by the transport. Nobody else sees
// the connection yet.
func (c *Conn) Speaks() {
	if c.Src.Proto.Web() {
		w := websocket.NewStream(c.Src.Outbound)
		c.Own.Framing.Web(w)
		c.out.Framing = w
	}
}

// Handle returns the connection's own.
func (c *Conn) Handle() message.Handle { return c.ID }

// SetHandle returns it one. The table calls it before anybody else sees the
// connection.
func (c *Conn) SetHandle(h message.Handle) { c.ID, c.Src.Conn = h, h }

// WheelLink is the connection's place among the idle ones.
func (c *Conn) WheelLink() *wheel.Link[Conn] { return &c.Own.wheel }

// Ends returns what is known of the two ends at this moment: our own address is known when a connect begins, whether
// the peer was verified when the handshake is done. Any goroutine.
func (c *Conn) Ends() message.Source {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Src
}

// Called returns what the log calls the connection.
func (c *Conn) Called() *connlog.Conn {
	return &connlog.Conn{ID: uint64(c.ID), Proto: c.Src.Proto, Peer: c.Src.Remote, Outbound: c.Src.Outbound}
}

// Enter moves the connection to the next phase. Owner only.
func (c *Conn) Enter(to phase.Phase) {
	c.mu.Lock()
	defer c.mu.Unlock() // behind a panic, too
	c.life.Enter(to)
}

// Fd returns the connection's descriptor, for the connect queue.
func (c *Conn) Fd() int { return c.Own.Sock.Fd() }

// Writable has the loop go on writing. The connect queue calls it.
func (c *Conn) Writable() { c.Loop.Post(c, EvWritable) }

// Closes reports whether the connection is about to close.
func (c *Conn) Closes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life.Ends()
}

// NoteClose notes why the connection is to close; the first reason stays. It tells
// whether this was it. Any goroutine.
func (c *Conn) NoteClose(why *reason.Error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life.End(why)
}

// AskClose closes the connection from any goroutine; its owner carries it out.
func (c *Conn) AskClose(why *reason.Error) {
	c.mu.Lock()
	first := c.life.End(why)
	ph := c.life.At()
	c.mu.Unlock()
	if first {
		c.closeByOwner(ph)
	}
}

// closeByOwner has the owner of a connection that is to close end it.
func (c *Conn) closeByOwner(ph phase.Phase) {
	switch ph {
	case phase.Connecting:
		c.Common.Connects.Cancel(c)
	case phase.Enrolling:
		// The loop sees the reason when it opens the connection.
	case phase.Handshaking, phase.Established, phase.Closing:
		c.Loop.Post(c, EvClose)
	case phase.Closed:
	}
}

// Enqueue appends a message. It answers Sent when the connection is
// established and writes, for which the caller has it flushed; Queued when the message waits
// for that, and an error when the connection is gone (NoConnection) or the message is one too
// many (QueueFull, which harms nobody else). Any goroutine.
func (c *Conn) Enqueue(m message.Appender, t *message.Target, w *sendqueue.Waiter) (message.Outcome, *reason.Error) {
	ready, err := c.queue(m, t, w)
	switch {
	case err != nil:
		if err.Reason == reason.QueueFull {
			c.Common.Log.MessageRefused(c.Called(), err)
		}
		return 0, err
	case !ready:
		c.Common.Stat.Postponed.Add(1)
		return message.Queued, nil
	default:
		return message.Sent, nil
	}
}

// First appends the message that a connection of ours is made for. Nobody else sees it yet.
func (c *Conn) First(m message.Appender, t *message.Target, w *sendqueue.Waiter) {
	c.out.Add(m, entryOf(t, w))
}

// AskFlush has the loop write what waits in the send queue. Any goroutine.
func (c *Conn) AskFlush() { c.Loop.Post(c, EvFlush) }

// queue is Enqueue under the lock, which it gives back behind a panic of the Appender, too.
func (c *Conn) queue(m message.Appender, t *message.Target, w *sendqueue.Waiter) (ready bool, err *reason.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Ends() {
		return false, reason.Because(reason.NoConnection, "it is closing")
	}
	up := c.life.At() == phase.Established
	ready = up && !c.blocked
	if !c.out.Room(t.Class.Urgent(), t.Class == message.Final, up && c.Owed.Theirs() > 0, ready, c.Config.MaxPostponed) {
		full := reason.Because(reason.QueueFull, "the connection is not up")
		switch {
		case ready:
			full.Detail = "too much waits for the loop"
		case up:
			full.Detail = "the peer takes nothing"
			c.out.Full = true
		}
		c.Common.Stat.Refused.Add(1)
		return false, full
	}
	c.out.Add(m, entryOf(t, w))
	if !c.answers() {
		return false, reason.Because(reason.NoConnection, "the peer has closed it")
	}
	return ready, nil
}

// Pong answers a ping. Loop only; the flush is the caller's.
func (c *Conn) Pong() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mayPong() {
		c.out.Add(message.Bytes("\r\n"), sendqueue.Entry{Pong: true})
	}
}

// mayPong reports whether the answer to a ping has a place: behind a socket that takes no more one waits for all pings,
// so that a peer which pings and does not read gets no queue of them. The lock is held.
func (c *Conn) mayPong() bool { return !c.blocked || !c.out.Pongs() }

// RoundTrip measures the connection's path.
func (c *Conn) RoundTrip() time.Duration { return c.Common.Limits.RoundTrip(c.Own.Sock.Fd()) }

// answers looks at the message that was put into the send queue last: a request has no place on a half-closed
// connection, where it is taken out again and false is the answer. The lock is held.
func (c *Conn) answers() bool {
	if b := c.out.Waiting; c.half && !peek.IsResponse(b.Message(len(b.Ends)-1)) {
		c.out.RemoveLast()
		return false
	}
	return true
}

// Now is the engine's clock, which a connection's deadlines are on.
func (c *Conn) Now() int64 { return c.Common.Now() }

// TimeIsUp has the loop look at the connection's deadlines.
func (c *Conn) TimeIsUp() { c.Loop.Post(c, EvTimer) }

// Handled takes a message out of the count. Any goroutine.
func (c *Conn) Handled() {
	if c.Reading.Handled() {
		c.Loop.Post(c, EvRead)
	}
}

// Finish has a connection end when nothing of its peer is here that is not answered: it
// is asked again until then. Any goroutine.
func (c *Conn) Finish() {
	c.mu.Lock()
	ph := c.life.At()
	c.mu.Unlock()
	if ph == phase.Established {
		c.Loop.Post(c, EvFinish)
		return
	}
	c.AskClose(reason.Because(reason.Shutdown, ""))
}

// entryOf is what a send queue notes of a message to the target.
func entryOf(t *message.Target, w *sendqueue.Waiter) sendqueue.Entry {
	return sendqueue.Entry{Wait: w, Note: t.Note, Asks: t.Class.Asks()}
}
