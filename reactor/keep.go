package reactor

import "time"

// KeepFor has a connection live on for d even if nothing comes by it, as one that
// a user registered over has to; a shorter time than it has does nothing. It
// reports whether the connection is there. Any goroutine.
func (e *Engine) KeepFor(h Handle, d time.Duration) bool {
	c := e.table.Get(h)
	if c == nil {
		return false
	}
	until := e.seconds() + int64((d+time.Second-1)/time.Second)
	for {
		was := c.keep.Load()
		if was >= until || c.keep.CompareAndSwap(was, until) {
			return true
		}
	}
}
