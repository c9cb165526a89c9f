package reactor

import "context"

// Pulse waits until every event loop and every shard of messages has come round
// once, and gives an error when one has not by the end of ctx. What is asked goes
// the way of the work itself: a loop that is stuck in a callback, and a shard
// whose leader is stuck in a message, do not answer. Any goroutine; calls wait for
// each other.
func (e *Engine) Pulse(ctx context.Context) error { return e.loops.Pulse(ctx) }
