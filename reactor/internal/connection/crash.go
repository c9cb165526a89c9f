package connection

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"sipreactor/reactor/internal/event"
	"sipreactor/tlsstate"
)

// Panicked tells of a panic, once a second for each cause. Any goroutine.
func (a *Common) Panicked(what string, p any, stack []byte, more ...any) {
	cause := fmt.Sprint(p)
	a.Stat.Panics.Add(1)
	if held, ok := a.panics.Open(time.Now(), cause[:min(len(cause), 256)]); ok {
		a.Logger.Error(what, append([]any{"panic", cause, "more", held, "stack", string(stack)}, more...)...)
	}
}

// TellPanic tells of a handshake that has failed by a panic: handshakers and machines rescue
// that themselves.
func (a *Common) TellPanic(c *Conn, err error) {
	var p *tlsstate.Panic
	if errors.As(err, &p) {
		a.Panicked("a handshake has panicked", p.Value, p.Stack, "peer", c.Src.Remote.String())
	}
}

// report gives the Observer an event. A panic of it ends nothing.
func (a *Common) report(ev *event.Event) {
	defer func() {
		if p := recover(); p != nil {
			a.Panicked("the observer has panicked", p, debug.Stack(), "event", ev.Kind.String())
		}
	}()
	a.Observer.Observe(ev)
}
