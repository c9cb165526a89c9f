package reactor

import (
	"errors"
	"net/netip"
	"runtime/debug"

	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/tlsstate"
)

// A panic on an event loop. Whatever a loop does, it does for one connection, or for one
// datagram: it reads, frames and seals what the one peer has sent or is to get. A panic of
// that (a codec, a framer, an Observer, a Sharder) ends that connection as EngineFailed, or
// that datagram, with one line that has the stack, and the loop goes on: what came whole
// before is handed on, and what waited for the connection is given back, as at any end.
//
// What does not belong to one of them is the loop's schedule and the lead of a shard that it
// has borrowed. They are not rescued, on purpose: connections that were posted, or all
// messages of the shard, would be left for ever without a word, and whoever supervises the
// process could not see it. That ends the process, with the stack.

// guard is deferred around all that a loop does for a connection.
func (l *loop) guard(c *conn) {
	if p := recover(); p != nil {
		l.crashed(p, c.src.Remote)
		l.salvage()
		l.abort(c)
	}
}

// guardLast is deferred around the end of a connection, behind which nothing comes.
func (l *loop) guardLast(c *conn) {
	p := recover()
	if p == nil {
		return
	}
	l.crashed(p, c.src.Remote)
	if c.life.At() != phase.Closed {
		defer l.guardLast(c) // phase.Closed is the first step of this
		c.noteClose(reason.Because(EngineFailed, ""))
		c.cleanUp()
	}
}

// guardDatagram is deferred around what a loop does for a datagram of a peer.
func (l *loop) guardDatagram(from netip.AddrPort) {
	if p := recover(); p != nil {
		l.crashed(p, from)
		l.stat.Dropped.Add(1)
	}
}

// guardDatagrams is deferred around what a loop does with the datagrams of a read.
func (l *loop) guardDatagrams() {
	if p := recover(); p != nil {
		l.crashed(p, netip.AddrPort{})
		l.salvage()
	}
}

// crashed tells of a panic, unless it ends the process.
func (l *loop) crashed(p any, peer netip.AddrPort) {
	if l.lent {
		panic(p)
	}
	l.eng.panicked("an event loop has panicked", p, debug.Stack(), "peer", peer.String())
}

// tellPanic tells of a handshake that has failed by a panic: handshakers and machines rescue
// that themselves.
func (e *Engine) tellPanic(c *conn, err error) {
	var p *tlsstate.Panic
	if errors.As(err, &p) {
		e.panicked("a handshake has panicked", p.Value, p.Stack, "peer", c.src.Remote.String())
	}
}

// salvage hands the frames of the read under way to their shards, or drops them if it was
// that which failed.
func (l *loop) salvage() {
	defer func() {
		if p := recover(); p != nil {
			l.crashed(p, netip.AddrPort{})
		}
		for i, b := range l.frames {
			l.stat.Dropped.Add(uint64(len(b)))
			clear(b) // their buffers are the garbage collector's
			l.frames[i] = b[:0]
		}
		l.handing = false
	}()
	if !l.handing {
		l.hand()
	}
}

// abort ends a connection over which the loop has panicked: neither its codec nor its framer
// is asked again.
func (l *loop) abort(c *conn) {
	defer l.guardLast(c)
	c.reading.End()
	c.noteClose(reason.Because(EngineFailed, ""))
	switch c.life.At() {
	case phase.Handshaking, phase.Established:
		c.step(phase.Closing)
	case phase.Closed:
		return
	case phase.Connecting, phase.Enrolling, phase.Closing:
	}
	c.sock.Close()
}
