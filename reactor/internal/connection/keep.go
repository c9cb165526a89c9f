package connection

import (
	"sync/atomic"
	"time"
)

// KeepFor has the connection live on for d even if nothing comes by it; a shorter time than
// it has does nothing. Any goroutine.
func (c *Conn) KeepFor(d time.Duration) { raise(&c.keep, c.Common.after(d)) }

// Know says that for d it is known who is at the other end of an accepted connection. Any
// goroutine.
func (c *Conn) Know(d time.Duration) { raise(&c.userKnown, c.Common.after(d)) }

// Alive puts off the idle timeout, from a second on. Loop only.
func (c *Conn) Alive(second int64) { c.active.Store(second) }

// IdleDue returns the second in which the connection was idle for its lifetime, in seconds.
// Any goroutine.
func (c *Conn) IdleDue(lifetime int64) int64 { return max(c.active.Load()+lifetime, c.keep.Load()) }

// FirstAnswer reports whether no answer was told of in a second, and notes one. Loop only.
func (c *Conn) FirstAnswer(second int64) bool {
	if c.Own.answered == second+1 {
		return false
	}
	c.Own.answered = second + 1
	return true
}

// after is the second that is d from now on.
func (a *Common) after(d time.Duration) int64 {
	return a.Seconds() + int64((d+time.Second-1)/time.Second)
}

func raise(at *atomic.Int64, to int64) {
	for was := at.Load(); was < to && !at.CompareAndSwap(was, to); was = at.Load() {
	}
}
