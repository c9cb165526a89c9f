package connection

import (
	"log/slog"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/connectqueue"
	"sipreactor/reactor/internal/connlog"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/repeats"
	"sipreactor/reactor/internal/sendqueue"
	"sipreactor/reactor/internal/table"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/visitors"
	"sipreactor/sipframe"
)

// Common are all of an engine, with what they have in common. What is not a table,
// a queue or a counter is set before the first of them.
type Common struct {
	Limits   Limits
	Born     time.Time // of the engine: its clock's beginning
	Observer event.Observer

	Table    table.Table[Conn, *Conn, message.Handle]
	Peers    Index
	Visitors visitors.Set // by WebSocket
	Connects *connectqueue.Queue[*Conn]
	Backoff  backoffTable
	Stat     figures.EngineCounters
	Log      *connlog.Log
	Logger   *slog.Logger
	Inbound  atomic.Int64 // accepted ones

	panics repeats.Table[string]

	IgnoresInput atomic.Bool // nothing more is read

	Adopt    func(s *poller.Socket, failed func(error))              // gives a connected socket to a loop
	GiveBack func(c *Conn, data []byte, note any, why *reason.Error) // has the Handler told of a message that was not delivered
	Schedule func()                                                  // has the next probe made when it is due
}

// Limits are those of all connections.
type Limits struct {
	Lifetime                      int64 // of one that carries nothing, in seconds
	Open                          int64 // how many there may be
	MessageTime, HalfClosedTime   time.Duration
	ConnectTimeout, ParkedTimeout time.Duration
	UserTimeout                   time.Duration // 0: by who dialled
	RoundTrip                     func(fd int) time.Duration
	Framing                       [transport.Count]sipframe.FramerConfig
}

// Now is the engine's clock in nanoseconds; never 0.
func (a *Common) Now() int64 { return int64(time.Since(a.Born)) + 1 }

// Seconds is the engine's clock for idle lifetimes.
func (a *Common) Seconds() int64 { return a.Now() / int64(time.Second) }

// Full reports whether one more connection would be one too many for the
// process's descriptors.
func (a *Common) Full() bool { return int64(a.Table.Len()) >= a.Limits.Open }

// ReturnAll gives what is unacknowledged back to the Handler, and returns how many
// requests there were among it.
func (a *Common) ReturnAll(c *Conn, u *sendqueue.Unacknowledged, why *reason.Error) (requests int64) {
	u.Take(func(text []byte, m *sendqueue.Mark) {
		a.Stat.Returned.Add(1)
		a.GiveBack(c, text, m.Note, why)
		if m.Asks {
			requests++
		}
	})
	return requests
}

// undeliver tells the fate of a batch's messages from the i-th on: the sender
// that still waits, or the Handler.
func (a *Common) undeliver(c *Conn, b *sendqueue.Batch, i int, why *reason.Error) {
	for ; i < len(b.Ends); i++ {
		m := &b.Ends[i]
		if m.Pong || m.Wait != nil && m.Wait.Settle(why) {
			continue
		}
		a.GiveBack(c, b.Message(i), m.Note, why)
	}
	b.Free()
}

// The defaults of Config.UserTimeout.
const (
	userTimeoutOut = 5 * time.Second
	userTimeoutIn  = 30 * time.Second
)

// Unacknowledged is how long something may be.
func (l *Limits) Unacknowledged(s *message.Source) time.Duration {
	switch {
	case l.UserTimeout > 0:
		return l.UserTimeout
	case s.Outbound:
		return userTimeoutOut
	default:
		return userTimeoutIn
	}
}

// Owner is what a connection knows of the loop that has it.
type Owner interface {
	// Post asks the loop to do something for a connection and wakes it. Any goroutine.
	Post(c *Conn, what uint32)
	// Counters are the loop's.
	Counters() *figures.LoopCounters
}

// UnderWay is what is under way on all connections.
type UnderWay struct {
	Unanswered int64 // requests that were written and may still be answered
	Open       int   // requests that came and have no final response
	Handshakes int   // connections that are not up, but for those that nobody waits for
	Halves     int   // messages that are not complete
	Unsent     int   // connections with something to be written
}

// UnderWay counts that.
func (a *Common) UnderWay() (u UnderWay) {
	now := a.Seconds()
	a.Table.Each(func(c *Conn) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.life.Why() == nil && c.life.At() == phase.Established {
			u.Unanswered += c.Owed.Live(now)
			u.Open += c.Owed.Theirs()
		}
		switch {
		case c.life.Ends():
		case c.life.At() < phase.Established && (!c.Src.Outbound || c.out.Len() > 0):
			u.Handshakes++
		case c.life.At() < phase.Established: // a probe
		case c.out.Len() > 0:
			u.Unsent++
		case c.Own.Framing.CutShort():
			u.Halves++
		}
	})
	return u
}
