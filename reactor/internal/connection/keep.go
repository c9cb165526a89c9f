package connection

import (
	"sync/atomic"
	"time"
)

// KeepFor has the connection live on for d even if nothing comes by it; a shorter time than
// it has does nothing. Any goroutine.
func (c *Conn) KeepFor(d time.Duration) { raise(&c.Keep, c.Common.after(d)) }

// Know says that for d it is known who is at the other end of an accepted connection. Any
// goroutine.
func (c *Conn) Know(d time.Duration) { raise(&c.UserKnown, c.Common.after(d)) }

// after is the second that is d from now on.
func (a *Common) after(d time.Duration) int64 {
	return a.Seconds() + int64((d+time.Second-1)/time.Second)
}

func raise(at *atomic.Int64, to int64) {
	for was := at.Load(); was < to && !at.CompareAndSwap(was, to); was = at.Load() {
	}
}
