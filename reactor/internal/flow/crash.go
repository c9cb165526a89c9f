package flow

import (
	"net/netip"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// Guard is deferred around all that a loop does for a connection. A panic of that (a codec, a
// framer, an Observer, a Sharder) ends that connection as EngineFailed, and the loop goes on.
func (l *Flow) Guard(c *connection.Conn) {
	if p := recover(); p != nil {
		l.program.Crashed(p, c.Src.Remote)
		l.program.Salvage()
		l.abort(c)
	}
}

// GuardLast is deferred around the end of a connection, behind which nothing comes.
func (l *Flow) GuardLast(c *connection.Conn) {
	p := recover()
	if p == nil {
		return
	}
	l.program.Crashed(p, c.Src.Remote)
	if c.At() != phase.Closed {
		defer l.GuardLast(c) // phase.Closed is the first step of this
		c.NoteClose(reason.Because(reason.EngineFailed, ""))
		c.CleanUp()
	}
}

// abort ends a connection over which the loop has panicked: neither its codec nor its framer
// is asked again.
func (l *Flow) abort(c *connection.Conn) {
	defer l.GuardLast(c)
	c.Reading.End()
	c.NoteClose(reason.Because(reason.EngineFailed, ""))
	switch c.At() {
	case phase.Handshaking, phase.Established:
		c.Enter(phase.Closing)
	case phase.Closed:
		return
	case phase.Connecting, phase.Enrolling, phase.Closing:
	}
	c.Own.Sock.Close()
}

// crashes is what a Flow has done about a panic.
type crashes interface {
	// Crashed tells of a panic over what a peer has sent or is to get, unless it ends the
	// process.
	Crashed(p any, peer netip.AddrPort)
	// Salvage hands on what Message has brought before it, or drops it if it was that
	// which failed.
	Salvage()
}
