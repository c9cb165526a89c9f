package reactor

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connlog"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/framing"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/owed"
	"sipreactor/reactor/internal/peers"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reading"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/reuse"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/websocket"
	"sipreactor/reactor/internal/wheel"
)

// conn is one connection, from accept or the first thought of connecting to
// its end. Who owns what stands with each group of fields. What one phase alone has
// stands in a value of its own, which is there in that phase only: see package phase.
type conn struct {
	// Set before anybody else can see the connection.
	id      Handle
	src     Source // Local of a dialled one is set when its connect begins
	eng     *Engine
	cfg     *StreamConfig
	born    time.Time
	target  Target // what a dialled connection is for
	probing bool   // it was opened to see whether a destination is back

	// The peer index's lock guards this.
	indexed peers.Place

	// The owner's: the connect queue while connecting, then the loop.
	loop    *loop
	sock    poller.Socket
	codec   codec.Codec
	dial    *dialing              // of ours, until it is established; mu guards its parked
	hs      *handshakes.Handshake // while handshaking
	framing framing.Framing       // cuts what is read
	place   sourcelimit.Place     // what it counts to its source

	reading reading.Reading          // whether it is read, and what is in hand
	carried figures.Carried          // counted by the loop, read by anybody
	ending  bool                     // an orderly end waits for what is still to be written
	unacked sendqueue.Unacknowledged // written, and not known to be acknowledged
	listed  bool                     // the loop looks at that every second
	owed    owed.Ledger              // what the two ends owe each other
	waits   deadlines.Deadlines      // what it waits for
	msgLate bool                     // the message had its moment; see behind

	wheel    wheel.Link[conn]
	answered int64 // second, plus one, in which the back-off table was last told of an answer

	stall sendqueue.Stall // since when the peer takes nothing

	active    atomic.Int64  // second of the last message, ping or acknowledgement
	keep      atomic.Int64  // second until which it lives on anyway; see KeepFor
	userKnown atomic.Int64  // second until which its user is known; see Know
	pending   atomic.Uint32 // what the loop is asked to do: loop.post

	mu      sync.Mutex
	life    phase.Life
	blocked bool // the socket takes nothing more: the connect queue watches it
	known   bool // the connect queue has its descriptor, perhaps from an earlier watch; the loop's
	half    bool // the peer says nothing more and waits for replies: nothing else is written
	out     sendqueue.Queue
	tls     tlsSummary
	proof   reuse.Proof // Self and Meant are set with the target
}

// speaks chooses how messages stand in the stream, by the transport. Nobody else sees
// the connection yet.
func (c *conn) speaks() {
	if c.src.Proto.Web() {
		w := websocket.NewStream(c.src.Outbound)
		c.framing.Web(w)
		c.out.Framing = w
	}
}

// Handle returns the connection's own.
func (c *conn) Handle() Handle { return c.id }

// SetHandle returns it one. The table calls it before anybody else sees the
// connection.
func (c *conn) SetHandle(h Handle) { c.id, c.src.Conn = h, h }

// WheelLink is the connection's place among the idle ones.
func (c *conn) WheelLink() *wheel.Link[conn] { return &c.wheel }

// ends returns what is known of the two ends at this moment: our own address is known when a connect begins, whether
// the peer was verified when the handshake is done. Any goroutine.
func (c *conn) ends() Source {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.src
}

// called returns what the log calls the connection.
func (c *conn) called() *connlog.Conn {
	return &connlog.Conn{ID: uint64(c.id), Proto: c.src.Proto, Peer: c.src.Remote, Outbound: c.src.Outbound}
}

// step moves the connection to the next phase. Owner only.
func (c *conn) step(to phase.Phase) {
	c.mu.Lock()
	defer c.mu.Unlock() // behind a panic, too
	c.life.Step(to)
}

// Fd returns the connection's descriptor, for the connect queue.
func (c *conn) Fd() int { return c.sock.Fd() }

// Writable has the loop go on writing. The connect queue calls it.
func (c *conn) Writable() { c.loop.post(c, evWritable) }

// Closes reports whether the connection is about to close.
func (c *conn) Closes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life.Ends()
}

// noteClose notes why the connection is to close; the first reason stays. It tells
// whether this was it. Any goroutine.
func (c *conn) noteClose(why *Error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life.End(why)
}

// askClose closes the connection from any goroutine; its owner carries it out.
func (c *conn) askClose(why *Error) {
	c.mu.Lock()
	first := c.life.End(why)
	ph := c.life.At()
	c.mu.Unlock()
	if first {
		c.closeByOwner(ph)
	}
}

// closeByOwner has the owner of a connection that is to close end it.
func (c *conn) closeByOwner(ph phase.Phase) {
	switch ph {
	case phase.Connecting:
		c.eng.connects.Cancel(c)
	case phase.Enrolling:
		// The loop sees the reason when it opens the connection.
	case phase.Handshaking, phase.Established, phase.Closing:
		c.loop.post(c, evClose)
	case phase.Closed:
	}
}

// enqueue appends a message. It answers Sent when the connection is
// established and writes, Queued when the message waits for that, and an error
// when the connection is gone (NoConnection) or the message is one too many
// (QueueFull, which harms nobody else). Any goroutine.
func (c *conn) enqueue(m Appender, t *Target, w *sendqueue.Waiter) (Outcome, *Error) {
	ready, err := c.queue(m, t, w)
	switch {
	case err != nil:
		return 0, err
	case !ready:
		c.eng.stat.Postponed.Add(1)
		return Queued, nil
	default:
		c.loop.post(c, evFlush)
		return Sent, nil
	}
}

// queue is enqueue under the lock, which it gives back behind a panic of the Appender, too.
func (c *conn) queue(m Appender, t *Target, w *sendqueue.Waiter) (ready bool, err *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Ends() {
		return false, reason.Because(NoConnection, "it is closing")
	}
	up := c.life.At() == phase.Established
	ready = up && !c.blocked
	if !c.out.Room(t.Class.urgent(), t.Class == Final, up && c.owed.Theirs() > 0, ready, c.cfg.MaxPostponed) {
		full := reason.Because(QueueFull, "the connection is not up")
		switch {
		case ready:
			full.Detail = "too much waits for the loop"
		case up:
			full.Detail = "the peer takes nothing"
			c.out.Full = true
		}
		c.eng.stat.Refused.Add(1)
		return false, full
	}
	c.out.Add(m, t.entry(w))
	if !c.answers() {
		return false, reason.Because(NoConnection, "the peer has closed it")
	}
	return ready, nil
}

// pong answers a ping. Loop only; the flush is the caller's.
func (c *conn) pong() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mayPong() {
		c.out.Add(Bytes("\r\n"), sendqueue.Entry{Pong: true})
	}
}

// roundTrip measures the connection's path.
func (c *conn) roundTrip() time.Duration { return c.eng.cfg.roundTrip(c.sock.Fd()) }

// mayPong reports whether the answer to a ping has a place: behind a socket that takes no more one waits for all pings,
// so that a peer which pings and does not read gets no queue of them. The lock is held.
func (c *conn) mayPong() bool { return !c.blocked || !c.out.Pongs() }

// bindAddr is the local address that a dialled connection must have; invalid
// when any will do.
func (c *conn) bindAddr() netip.Addr {
	if s := c.src.Socket; s != nil && !s.Addr.Addr().IsUnspecified() {
		return s.Addr.Addr()
	}
	return netip.Addr{}
}
