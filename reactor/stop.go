package reactor

import (
	"cmp"
	"context"
	"errors"
	"math"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/loops"
	"sipreactor/reactor/internal/reason"
)

// Stop ends the engine, which may be draining already (Drain): no connection is accepted or opened any
// more, messages that are here are worked off and written, those whose Handler waits too, every peer gets its
// close_notify. Peers that go on sending are read for a moment only. When ctx is
// over first, what is left is cut off, and Stop returns ctx's error; with ErrBusy
// when the Handler does not return a moment later. Whoever
// calls again gets what the first call got, when that has it. The engine cannot
// be started again. One that does not run is over, and that is no error.
func (e *Engine) Stop(ctx context.Context) error {
	e.life.Lock()
	runs := e.state == running
	if !runs {
		e.state = over
	}
	e.life.Unlock()
	if !runs {
		return nil
	}
	e.stopOnce.Do(func() { e.stopped = e.stop(ctx) })
	return e.stopped
}

func (e *Engine) stop(ctx context.Context) error {
	e.loops.Draining.Store(true)
	e.dialer.Stopping.Store(true)
	e.dialer.Probes.End()
	soon, cancel := context.WithTimeout(ctx, graceTime)
	_ = loops.Until(soon, e.dispatcher.Quiet)
	cancel()
	soon, cancel = context.WithTimeout(ctx, graceTime)
	_ = loops.Until(soon, func() bool {
		e.conns.Table.Each(func(c *connection.Conn) { c.Finish() })
		return e.conns.Table.Len() == 0
	})
	cancel()
	e.conns.IgnoresInput.Store(true)
	err := loops.Until(ctx, func() bool {
		e.conns.Table.Each(func(c *connection.Conn) { c.Finish() }) // one that is answered does not wait for a message of another
		return e.dispatcher.Quiet()
	})
	e.conns.Table.Each(func(c *connection.Conn) { c.AskClose(reason.Because(Shutdown, "")) })
	if err2 := loops.Until(ctx, func() bool { return e.conns.Table.Len() == 0 && e.conns.Connects.Lingering() == 0 }); err == nil {
		err = err2
	}
	ended := make(chan error, 1)
	go func() {
		e.loops.EndDatagrams()
		err := e.loops.Poll.Stop()
		e.dismiss()
		e.conns.Log.Rests(math.MaxInt64)
		ended <- err
	}()
	select {
	case err2 := <-ended:
		return cmp.Or(err, err2)
	case <-afterwards(ctx, cutTime):
		return errors.Join(ErrBusy, err)
	}
}

// cutTime is how long behind the end of Stop's context the Handler may take to
// return from what it is at.
const cutTime = time.Second

// afterwards returns a channel that closes so long after the end of a context.
func afterwards(ctx context.Context, d time.Duration) <-chan struct{} {
	late := make(chan struct{})
	context.AfterFunc(ctx, func() { time.AfterFunc(d, func() { close(late) }) })
	return late
}

// graceTime is how long a draining engine still reads while messages come.
const graceTime = 500 * time.Millisecond

// dismiss ends the goroutines that are not the poller's. Loops no longer run.
func (e *Engine) dismiss() {
	e.handshakers.Close()
	e.conns.Table.Each(func(c *connection.Conn) { // what no loop has it has not closed
		if c.Reading.Detached() {
			c.Own.Sock.Close()
		}
	})
	e.conns.Connects.CutLingering() // while there are workers to be told
	e.loops.Each(func(l *loops.Loop) { l.Inline.End() })
	e.dispatcher.Close()
	e.conns.Connects.Close()
	e.loops.Each(func(l *loops.Loop) {
		posted, jobs := l.Sched.Stop()
		for _, c := range posted { // a machine that came back too late
			if c.Own.Handshake != nil && c.Own.Codec != nil {
				c.Own.Codec.Stop()
			}
		}
		for _, j := range jobs {
			if c := j.(*connection.Conn); c.Own.Codec != nil {
				c.Own.Codec.Stop()
			}
		}
		l.Slab.Release()
	})
}
