package reactor

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// drainLook is how often a draining engine looks whether anything is under way,
// and for how long nothing must have been: an answer that has just come has
// still to be handled.
const drainLook = 10 * time.Millisecond

// Drain ends the taking in of work: listeners are closed (an inherited one is
// left to its owner, with what waits there), behind those that have connected by
// now, and an Overloader refuses new requests. What is under way goes on, with new connections where it needs them:
// messages and parts of messages that are here, handshakes, requests that left and
// may still be answered, those that the Handler will answer by itself (Debtor), what is
// still to be written. It returns nil when nothing of that is left, else what is, with ctx's
// error. Stop then ends the engine. Any goroutine, once.
func (e *Engine) Drain(ctx context.Context) error {
	e.loops.Draining.Store(true)
	e.loops.Poll.StopAccepting()
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	for idle := 0; ; {
		left := e.underWay()
		if idle++; left != "" {
			idle = 0
		}
		if idle > 1 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if left == "" {
				return nil
			}
			return fmt.Errorf("%s: %w", left, ctx.Err())
		}
	}
}

// underWay tells what is still under way; "" = nothing.
func (e *Engine) underWay() string {
	u := e.conns.UnderWay()
	debtor, tells := e.handler.(Debtor)
	unanswered, open := u.Unanswered+e.loops.OwedByDatagrams(), u.Open
	// Whose client has its answer, or is gone, is waited for no more.
	unanswered = min(unanswered, int64(open)+e.loops.OwedToDatagrams())
	if tells {
		open = debtor.Owes()
	}
	var left []string
	for _, k := range []struct {
		n    int
		what string
	}{
		{int(unanswered), "requests without an answer"}, {open, "requests that are still to be answered here"}, {u.Handshakes, "connections that are not up"},
		{u.Halves, "incomplete messages"}, {u.Unsent, "connections with messages to be written"},
	} {
		if k.n > 0 {
			left = append(left, fmt.Sprint(k.n, " ", k.what))
		}
	}
	if len(left) == 0 && !e.dispatcher.Quiet() {
		left = append(left, "messages in hand")
	}
	return strings.Join(left, ", ")
}
