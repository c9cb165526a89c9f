package reactor

import "sipreactor/reactor/internal/dispatch"

// Worker is one who runs the Handler.
type Worker struct {
	// Local is the Handler's own: scratch that it keeps for each worker so that
	// it allocates nothing a message.
	Local any

	eng   *Engine
	place dispatch.Place
	frame Frame // the one under way
}

// newWorker makes one at no shard yet.
func (e *Engine) newWorker() *Worker {
	w := &Worker{eng: e}
	w.place.Init(&e.dispatcher, w.do)
	return w
}

// Engine returns the engine that the worker belongs to.
func (w *Worker) Engine() *Engine { return w.eng }

// Wait runs f, which may block: a follower takes the shard over meanwhile. It
// returns false without a call of f when as many goroutines wait as may
// (Config.Waiters): who leads a shard never waits.
func (w *Worker) Wait(f func()) bool {
	if !(*sender)(w).StandAside() {
		return false
	}
	f()
	return true
}

// Await has the message under way wait for something that comes from elsewhere, and returns
// when resume is called: once, by any goroutine. A follower takes the shard over meanwhile.
// begin, which must not block, sees to it that resume will be called. Where the Handler runs
// on a loop no goroutine waits: the loop does other things, and goes on here when it can.
// begin is told which loop that is (Engine.OpenLine), -1 for none. Await returns false without
// a call of begin when as many messages wait as may (Config.Waiters).
func (w *Worker) Await(begin func(loop int, resume func())) bool { return w.place.Await(begin) }

// do runs the Handler for one item.
func (w *Worker) do(it dispatch.Item) {
	w.frame = Frame{Data: it.Data, Src: it.Src, buf: it.Buf}
	w.place.Begin(&it)
	w.handle(&it)
	w.place.Done(&it)
}
