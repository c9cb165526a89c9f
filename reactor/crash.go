package reactor

import (
	"fmt"
	"runtime/debug"
	"sipreactor/reactor/internal/reason"
	"time"
)

// Recoverer is a Handler that answers for its panics: it gets the message again that
// one of its methods panicked over, on the worker that did. Without it, the
// connection that the message came by ends; no panic ends anything else.
type Recoverer interface {
	Recovered(w *Worker, f *Frame)
}

// handle has the Handler do what an item asks for.
func (w *Worker) handle(it *item) {
	defer w.rescue(it)
	h := w.eng.handler
	switch it.kind {
	case itemMessage:
		h.Message(w, &w.frame)
	case itemMalformed:
		h.Malformed(w, &w.frame, *it.defect)
	case itemUndelivered:
		h.Undelivered(w, it.lost)
	case itemOverload:
		h.(Overloader).Overload(w, &w.frame)
	case itemBeat:
		w.shard.beats.Add(1)
	case itemTask:
		it.task.Run(w)
	}
}

// rescue ends a panic of the Handler with one line, once a second for each cause.
func (w *Worker) rescue(it *item) {
	p := recover()
	if p == nil {
		return
	}
	e := w.eng
	e.panicked("the handler has panicked", p, debug.Stack())
	if it.kind != itemMessage && it.kind != itemOverload {
		return // nobody waits for an answer, or the connection ends anyway
	}
	if r, ok := e.handler.(Recoverer); ok && !it.rescued {
		it.rescued = true
		defer w.rescue(it) // it may panic again
		r.Recovered(w, &w.frame)
		return
	}
	if it.conn != nil {
		it.conn.askClose(reason.Because(HandlerFailed, ""))
	}
}

// panicked tells of a panic, once a second for each cause.
func (e *Engine) panicked(what string, p any, stack []byte, more ...any) {
	cause := fmt.Sprint(p)
	e.stat.Panics.Add(1)
	if held, ok := e.panics.Open(time.Now(), cause[:min(len(cause), 256)]); ok {
		e.log.Error(what, append([]any{"panic", cause, "more", held, "stack", string(stack)}, more...)...)
	}
}
