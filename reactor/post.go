package reactor

import "sipreactor/reactor/internal/dispatch"

// Task is work that a Handler gives to itself: a timer that is due, an answer from elsewhere.
type Task interface {
	// Run does it, on a worker, as a Handler handles a message: it may wait by Worker.Send, Worker.Wait and Worker.Await only.
	Run(w *Worker)
}

// Shards returns how many shards messages are spread over by their Call-ID.
func (e *Engine) Shards() int { return len(e.dispatcher.Shards) }

// Shard returns which shard the worker leads or has led, from 0 on; 0 for one without.
func (w *Worker) Shard() int {
	if w == nil || w.place.Shard() == nil {
		return 0
	}
	return w.place.Shard().Index
}

// Post has a worker of a shard run t, behind the messages that wait there. Nothing bounds what is posted but the caller.
// After Stop it does nothing. Any goroutine, a Handler's included; it does not wait.
func (e *Engine) Post(shard int, t Task) {
	e.dispatcher.Shards[shard].Put(dispatch.Item{Kind: dispatch.Task, Task: t})
}
