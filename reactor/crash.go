package reactor

import (
	"runtime/debug"

	"sipreactor/reactor/internal/dispatch"
	"sipreactor/reactor/internal/reason"
)

// Recoverer is a Handler that answers for its panics: it gets the message again that
// one of its methods panicked over, on the worker that did. Without it, the
// connection that the message came by ends; no panic ends anything else.
type Recoverer interface {
	Recovered(w *Worker, f *Frame)
}

// handle has the Handler do what an item asks for.
func (w *Worker) handle(it *dispatch.Item) {
	defer w.rescue(it)
	h := w.eng.handler
	switch it.Kind {
	case dispatch.Message:
		h.Message(w, &w.frame)
	case dispatch.Malformed:
		h.Malformed(w, &w.frame, *it.Defect)
	case dispatch.Undelivered:
		h.Undelivered(w, it.Lost)
	case dispatch.Overload:
		h.(Overloader).Overload(w, &w.frame)
	case dispatch.Beat:
		w.place.Shard().Beat()
	case dispatch.Task:
		it.Task.(Task).Run(w)
	}
}

// rescue ends a panic of the Handler with one line, once a second for each cause.
func (w *Worker) rescue(it *dispatch.Item) {
	p := recover()
	if p == nil {
		return
	}
	e := w.eng
	e.conns.Panicked("the handler has panicked", p, debug.Stack())
	if it.Kind != dispatch.Message && it.Kind != dispatch.Overload {
		return // nobody waits for an answer, or the connection ends anyway
	}
	if r, ok := e.handler.(Recoverer); ok && !it.Rescued {
		it.Rescued = true
		defer w.rescue(it) // it may panic again
		r.Recovered(w, &w.frame)
		return
	}
	if it.Conn != nil {
		it.Conn.AskClose(reason.Because(HandlerFailed, ""))
	}
}
