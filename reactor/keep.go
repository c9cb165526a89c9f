package reactor

import "time"

// KeepFor has a connection live on for d even if nothing comes by it, as one that
// a user registered over has to; a shorter time than it has does nothing. It
// reports whether the connection is there. Any goroutine.
func (e *Engine) KeepFor(h Handle, d time.Duration) bool {
	c := e.conns.Table.Get(h)
	if c == nil {
		return false
	}
	c.KeepFor(d)
	return true
}

// Know says that for d it is known who is at the other end of a connection that was accepted, by other means than a
// certificate, as of a user that has registered over it. What is sent to the very address and port that the connection
// comes from, by address, may go by it then, even where the client domain of the send verifies: nobody else could be
// there. It reports whether the connection is there. Any goroutine.
func (e *Engine) Know(h Handle, d time.Duration) bool {
	c := e.conns.Table.Get(h)
	if c == nil {
		return false
	}
	c.Know(d)
	return true
}
