package proxy

import "sipreactor/reactor"

// Sender is what a Context sends by. *reactor.Worker is one.
type Sender interface {
	// Send hands a message on; see reactor.Worker.Send.
	Send(t *reactor.Target, m reactor.Appender) (reactor.Outcome, error)
	// Wait runs f, which may block, while others take over the caller's work. It
	// reports whether it did: false where one more may not wait; see
	// reactor.Worker.Wait.
	Wait(f func()) bool
}

// awaiter is a Sender that can wait without a goroutine; see reactor.Worker.Await.
type awaiter interface {
	Await(begin func(loop int, resume func())) bool
}

// Sender returns what the Context sends by.
func (c *Context) Sender() Sender { return c.out }

// Sends reports whether the Context has something to send by. That of a route which runs on no worker has nothing: what
// such a route wants sent is left to a worker.
func (c *Context) Sends() bool {
	_, none := c.out.(nobody)
	return c.out != nil && !none
}

// nobody is the Sender of a Context that was made without one.
type nobody struct{}

func (nobody) Send(*reactor.Target, reactor.Appender) (reactor.Outcome, error) {
	return 0, &reactor.Error{Reason: reactor.NoConnection}
}

func (nobody) Wait(f func()) bool { f(); return true }
