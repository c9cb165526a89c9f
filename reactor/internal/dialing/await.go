package dialing

import (
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sendqueue"
)

// told returns the error that a waiting sender was told.
func told(err error) *reason.Error {
	e, _ := err.(*reason.Error) //nolint:errorlint // it is handed on as it is
	return e
}

// result waits for the fate of a message.
func result(wait *sendqueue.Waiter) (message.Outcome, *reason.Error) {
	for {
		if n := <-wait.News(); !n.Connected {
			return message.Sent, told(n.Err)
		}
	}
}

// await waits for a new connection's message: with Async for the local budgets
// of connect and handshake, which are elapsed time; else for the result, which
// the connection's own deadlines bound.
func (d *Dialer) await(c *connection.Conn, wait *sendqueue.Waiter, w Sender) (message.Outcome, *reason.Error) {
	select { // refused at once, on this machine
	case n := <-wait.News():
		if !n.Connected {
			return message.Sent, told(n.Err)
		}
	default:
	}
	if !w.StandAside() { // too many wait already: Undelivered tells of a failure
		if c.Config.MaxPostponed == 0 {
			c.AskClose(reason.Because(reason.QueueFull, "nothing may wait"))
			if wait.Abandon() {
				return message.Queued, nil
			}
		}
		return d.leave(c, wait)
	}
	if !c.Config.Async {
		return result(wait)
	}
	budget := time.NewTimer(c.Config.LocalConnectTimeout)
	defer budget.Stop()
	for {
		select {
		case n := <-wait.News():
			if !n.Connected {
				return message.Sent, told(n.Err)
			}
			budget.Reset(c.Config.LocalHandshakeTimeout)
		case <-budget.C:
			return d.leave(c, wait)
		}
	}
}

// leave parks what is not done within the budget: the message waits with the
// connection, and the sender goes on.
func (d *Dialer) leave(c *connection.Conn, wait *sendqueue.Waiter) (message.Outcome, *reason.Error) {
	if c.Config.MaxPostponed == 0 {
		c.AskClose(reason.Because(reason.QueueFull, "nothing may wait"))
		return result(wait)
	}
	if !wait.Abandon() {
		return result(wait)
	}
	d.All.Stat.Postponed.Add(1)
	ph := c.Park()
	switch {
	case ph < phase.Handshaking:
		d.All.Stat.ParkedConnects.Add(1)
		d.All.Observe(c, event.ConnectParked, nil, "")
	case ph == phase.Handshaking:
		d.All.Stat.ParkedHandshakes.Add(1)
		d.All.Observe(c, event.HandshakeParked, nil, "")
	}
	return message.Queued, nil
}
