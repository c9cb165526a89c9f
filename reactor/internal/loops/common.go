package loops

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/dialing"
	"sipreactor/reactor/internal/dispatch"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/scheduler"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/transport"
	"sipreactor/sipframe"
)

// Common is what the loops of an engine share. What stands before paused is set before the
// first of them.
type Common struct {
	Conns       *connection.Common
	Dialer      *dialing.Dialer
	Dispatcher  *dispatch.Dispatcher
	Handshakers *handshakes.Pool
	Poll        *poller.Poller
	Company     scheduler.Company
	Sockets     []*message.Socket // in the order of the configuration

	QueueDelay      time.Duration // how long messages may have to wait; 0: any time
	Inline          time.Duration // for how long a loop runs the Handler for one read; 0: not at all
	InlineHandshake time.Duration // and computes handshakes
	MaxConnections  int64         // accepted at the same time
	Limits          sourcelimit.Limits
	Refuses         bool // the Handler is an Overloader

	Paused   atomic.Int64 // connections that are not read because they brought too much
	Draining atomic.Bool  // nothing new is taken in
	Sources  sourcelimit.Table
	made     atomic.Int32 // loops so far
	first    *Loop        // attends to the others
	pulse    sync.Mutex   // one at a time; guards what shards were asked for
}

// Each calls f for each loop there is. Any goroutine.
func (a *Common) Each(f func(l *Loop)) {
	for _, l := range a.Poll.Loops() {
		f(l.Handler().(*Loop))
	}
}

// listener finds the stream socket that an accepted connection's own end
// belongs to: one bound to that address before one bound to any.
func (a *Common) listener(local netip.AddrPort) (found *message.Socket) {
	for _, s := range a.Sockets {
		switch {
		case !s.Proto.Stream() || s.Addr.Port() != local.Port():
		case s.Addr.Addr() == local.Addr():
			return s
		case s.Addr.Addr().IsUnspecified():
			found = s
		}
	}
	return found
}

// enterSource counts an accepted connection to its source, or returns the bound
// that it would break.
func (a *Common) enterSource(c *connection.Conn) reason.Refusal {
	switch a.Sources.Enter(&c.Own.Share, &a.Limits, c.Src.Remote.Addr(), transport.Shakes(c.Src.Proto), a.Conns.Seconds()) {
	case sourcelimit.Connections:
		return reason.RefusedSource
	case sourcelimit.Handshakes:
		return reason.RefusedSourceHandshakes
	case sourcelimit.HandshakeRate:
		return reason.RefusedSourceRate
	default:
		return reason.Admitted
	}
}

// Eased has the loops read what they have paused, if there is room for that.
func (a *Common) Eased() {
	if a.Paused.Load() == 0 || !a.Dispatcher.Calm() {
		return
	}
	a.Each((*Loop).roomAgain)
}

// GiveBack has a worker tell the Handler of a message that a connection did not deliver.
func (a *Common) GiveBack(c *connection.Conn, text []byte, note any, why *reason.Error) {
	a.comesBack(text, &c.Src, &message.Undelivered{Proto: c.Src.Proto, Addr: c.Src.Remote, Conn: c.ID, Note: note, Err: why})
}

// comesBack puts what is told of a message, of which it has a copy made, into its shard.
func (a *Common) comesBack(text []byte, src *message.Source, u *message.Undelivered) {
	buf := sipframe.NewBuffer(len(text))
	buf.Advance(copy(buf.Free(), text))
	u.Data = buf.Bytes()
	a.Conns.Stat.Undelivered.Add(1)
	a.Dispatcher.Returned(dispatch.Item{Kind: dispatch.Undelivered, Data: u.Data, Buf: buf, Src: src, Lost: u})
}
