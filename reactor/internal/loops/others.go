package loops

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
)

// What a Handler sends on one loop by a connection of another's would wake that one for a
// single system call. The loop that has the message keeps the connection among its own that
// want to be flushed, so that messages of several reads share a record, and writes in the
// other's place while that sleeps (scheduler.Enter); a loop that is awake, and a connection
// that has more to be done for it, are asked as ever. While there is little to do, the first
// loop does all that there is for the others (scheduler.Company).

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

// Attend does what there is to be done for another loop.
func (l *Loop) Attend(of *poller.Loop) {
	l.attend(of)
	l.rest()
}

// attend is Attend in a callback that goes on. What the other loop has for connections of
// this one's waits for its end.
func (l *Loop) attend(of *poller.Loop) {
	o := of.Handler().(*Loop)
	l.Sched.Defer()
	if o.Sched.Attend() {
		l.Sched.Stirred()
	}
	l.Sched.Settle()
	l.Sched.Soon()
}

// Attended is told that the first loop is about to do what there is to be done: when that one
// had nothing to do, this one had not either.
func (l *Loop) Attended() { l.policy.IdleWith(&l.common.first.policy) }
