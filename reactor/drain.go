package reactor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// drainLook is how often a draining engine looks whether anything is under way,
// and for how long nothing must have been: an answer that has just come has
// still to be handled.
const drainLook = 10 * time.Millisecond

// Drain ends the taking in of work: listeners are closed (an inherited one is
// left to its owner, with what waits there), and an Overloader refuses new
// requests. What is under way goes on, with new connections where it needs them:
// messages and parts of messages that are here, handshakes, requests that left and
// may still be answered, those that the Handler will answer by itself (Debtor), what is
// still to be written. It returns nil when nothing of that is left, else what is, with ctx's
// error. Stop then ends the engine. Any goroutine, once.
func (e *Engine) Drain(ctx context.Context) error {
	e.draining.Store(true)
	e.backlog.shut()
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	for idle := 0; ; {
		left := e.underWay()
		if idle++; left != "" {
			idle = 0
		}
		if idle > 1 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if left == "" {
				return nil
			}
			return fmt.Errorf("%s: %w", left, ctx.Err())
		}
	}
}

// underWay tells what is still under way; "" = nothing.
func (e *Engine) underWay() string {
	now, unanswered := e.seconds(), e.owedByDatagrams()
	handshakes, halves, unsent, open := 0, 0, 0, 0
	debtor, tells := e.handler.(Debtor)
	if tells {
		open = debtor.Owes()
	}
	e.table.each(func(c *conn) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.doom == nil && c.phase == established {
			unanswered += c.stale.live(now, c.unanswered.Load())
			if !tells {
				open += int(c.open.Load())
			}
		}
		switch {
		case c.doom != nil || c.phase >= closing:
		case c.phase < established:
			handshakes++
		case c.out.waitingCount() > 0:
			unsent++
		case c.cutShort.Load():
			halves++
		}
	})
	var left []string
	for _, k := range []struct {
		n    int
		what string
	}{
		{int(unanswered), "requests without an answer"}, {open, "requests that are still to be answered here"}, {handshakes, "connections that are not up"},
		{halves, "incomplete messages"}, {unsent, "connections with messages to be written"},
	} {
		if k.n > 0 {
			left = append(left, fmt.Sprint(k.n, " ", k.what))
		}
	}
	if len(left) == 0 && !e.quiet() {
		left = append(left, "messages in hand")
	}
	return strings.Join(left, ", ")
}

// shut ends the accepting for good. gnet cannot: so its epoll sets are told to
// forget the listeners, and another socket is put in their places, which ends
// those that nobody else has. gnet closes that in its own time. Any goroutine.
func (b *backlog) shut() {
	b.mu.Lock()
	ears := b.ears
	b.ears = nil
	b.mu.Unlock()
	for _, l := range ears {
		_ = unix.EpollCtl(l.set, unix.EPOLL_CTL_DEL, l.fd, nil)
	}
	if len(ears) == 0 {
		return
	}
	time.Sleep(drainLook) // who accepts may be at it
	other, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		b.eng.log.Warn("listeners stay open while draining", "error", os.NewSyscallError("socket", err))
		return
	}
	defer unix.Close(other)
	for _, l := range ears {
		_ = unix.Dup3(other, l.fd, unix.O_CLOEXEC)
	}
}
