package reactor

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/dialing"
)

// Send hands a message to the connection that t names, or to one to its
// address, which is opened if needed. It returns Sent or Queued when the engine
// has the message: then Handler.Undelivered gets it back should it not be
// written after all, or not be acknowledged by the peer's TCP. An error (*Error)
// means that nobody has it.
//
// A destination that could not be reached is left alone for a while: without a
// connection to it, Send fails at once with the reason of that (Config.Backoff).
//
// Send may wait for the local budgets of a new connection, or with Async off
// for the write itself; a follower takes the shard over meanwhile.
func (w *Worker) Send(t *Target, m Appender) (Outcome, error) {
	return answer(w.eng.send(t, m, w))
}

// Send is Worker.Send for a goroutine that is no worker.
func (e *Engine) Send(t *Target, m Appender) (Outcome, error) {
	return answer(e.send(t, m, nil))
}

func (e *Engine) send(t *Target, m Appender, w *Worker) (Outcome, *Error) {
	o, err := e.dialer.Send(t, m, (*sender)(w))
	if o == dialing.ByDatagram {
		if w == nil {
			return e.loops.SendDatagram(t, m, nil)
		}
		return e.loops.SendDatagram(t, m, &w.place)
	}
	return o, err
}

// answer keeps a nil *Error from becoming an error that is not nil.
func answer(o Outcome, err *Error) (Outcome, error) {
	if err != nil {
		return 0, err
	}
	return o, nil
}

// sender is a worker, or none, as the dialer knows it.
type sender Worker

// StandAside makes way for others before a wait that blocks; false: it must not wait.
func (s *sender) StandAside() bool { return s == nil || s.place.StandAside() }

// Flush has what was put into a connection's send queue written: by its loop, which the one
// that the Handler runs on may stand in for.
func (s *sender) Flush(c *connection.Conn) {
	if s != nil {
		if l := s.place.Loop(); l != nil {
			l.FlushSoon(c)
			return
		}
	}
	c.AskFlush()
}
