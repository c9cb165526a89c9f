package reactor

import (
	"cmp"
	"context"
	"errors"
	"math"
	"time"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// Stop ends the engine, which may be draining already (Drain): no connection is accepted or opened any
// more, messages that are here are worked off and written, every peer gets its
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
	e.draining.Store(true)
	e.stopping.Store(true)
	e.probes.End()
	soon, cancel := context.WithTimeout(ctx, graceTime)
	_ = until(soon, e.quiet)
	cancel()
	soon, cancel = context.WithTimeout(ctx, graceTime)
	_ = until(soon, func() bool {
		e.table.Each(func(c *conn) { c.finish() })
		return e.table.Len() == 0
	})
	cancel()
	e.ignoresInput.Store(true)
	err := until(ctx, func() bool {
		e.table.Each(func(c *conn) { c.finish() }) // none is left deaf for a message of another that takes its time
		return e.quiet()
	})
	e.table.Each(func(c *conn) { c.askClose(reason.Because(Shutdown, "")) })
	if err2 := until(ctx, func() bool { return e.table.Len() == 0 && e.connects.Lingering() == 0 }); err == nil {
		err = err2
	}
	ended := make(chan error, 1)
	go func() {
		e.endDatagrams()
		err := e.poll.Stop()
		e.dismiss()
		e.connlog.Rests(math.MaxInt64)
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

// finish has a connection end when nothing of its peer is here that is not answered: it
// is asked again until then. Any goroutine.
func (c *conn) finish() {
	c.mu.Lock()
	ph := c.life.At()
	c.mu.Unlock()
	if ph == phase.Established {
		c.loop.post(c, evFinish)
		return
	}
	c.askClose(reason.Because(Shutdown, ""))
}

// finish ends a connection unless its peer has said something that is still to be read
// or answered. What it says behind this moment and before it has read our FIN is lost to
// it: nothing can be written behind a FIN. Loop only.
func (l *loop) finish(c *conn) {
	if c.reading.InHand() == 0 && (c.reading.Over() || l.eng.ignoresInput.Load() || kernel.Unread(c.sock.Fd()) == 0) {
		l.close(c, reason.Because(Shutdown, ""))
	}
}

// quiet reports whether no message is being worked on.
func (e *Engine) quiet() bool {
	for _, s := range e.shards {
		if s.Busy() != 0 {
			return false
		}
	}
	return true
}

// until looks for a condition every millisecond.
func until(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// dismiss ends the goroutines that are not the poller's. Loops no longer run.
func (e *Engine) dismiss() {
	e.handshakers.Close()
	e.table.Each(func(c *conn) { // what no loop has it has not closed
		if c.reading.Detached() {
			c.sock.Close()
		}
	})
	e.connects.CutLingering() // while there are workers to be told
	e.eachLoop((*loop).endWaits)
	for _, s := range e.shards {
		s.Close()
	}
	e.crew.Wait()
	e.connects.Close()
	e.eachLoop(func(l *loop) {
		posted, jobs := l.sched.Stop()
		for _, c := range posted { // a machine that came back too late
			if c.hs != nil && c.codec != nil {
				c.codec.Stop()
			}
		}
		for _, j := range jobs {
			if c := j.(*conn); c.codec != nil {
				c.codec.Stop()
			}
		}
		l.slab.Release()
	})
}
