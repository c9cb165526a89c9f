package loops

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/phase"
)

// What a Handler sends on one loop by a connection of another's would wake that one for a
// single system call. The loop that has the message keeps the connection among its own that
// want to be flushed, so that messages of several reads share a record, and writes in the
// other's place while that sleeps (scheduler.Enter); a loop that is awake, and a connection
// that has more to be done for it, are asked as ever.

// FlushSoon has what the Handler has put into a connection's send queue written: behind the
// messages of the read under way. Loop only.
func (l *Loop) FlushSoon(c *connection.Conn) {
	if !l.lent || c.Loop == connection.Owner(l) {
		c.AskFlush()
		return
	}
	if c.Ask(connection.EvFlush) { // else its loop knows, or another has it
		l.Sched.Post(c)
	}
}

// visit flushes a connection of another loop's, in the place of that or by asking it.
func (l *Loop) visit(c *connection.Conn) {
	of := c.Loop.(*Loop)
	if !of.Sched.Enter() {
		of.Sched.Post(c)
		return
	}
	of.flushFor(c)
	of.Sched.Leave()
}

// flushFor flushes a connection if nothing else is to be done for it. The caller is in the
// loop's place.
func (l *Loop) flushFor(c *connection.Conn) {
	defer l.Guard(c)
	if c.At() != phase.Established || c.Own.Waits.For(deadlines.Send) || !c.AskedOnly(connection.EvFlush) {
		l.Sched.Post(c)
		return
	}
	l.Flush(c)
}
