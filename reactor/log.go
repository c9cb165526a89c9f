package reactor

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// gate lets one line of a kind through in a while and counts the rest, so that
// a flood of failures is not a flood of lines.
type gate struct {
	until atomic.Int64 // on the engine's clock
	held  atomic.Int64
}

// gateTime is how long a gate stays shut behind a line, restTime how long behind
// it what was held back is told at the latest.
const (
	gateTime = int64(time.Second)
	restTime = 10 * int64(time.Second)
)

// open tells whether a line may pass, and how many were held back before it.
func (g *gate) open(now int64) (held int64, ok bool) {
	until := g.until.Load()
	if now < until || !g.until.CompareAndSwap(until, now+gateTime) {
		g.held.Add(1)
		return 0, false
	}
	return g.held.Swap(0), true
}

// rest gives what is held back and has waited for a next line long enough.
func (g *gate) rest(now int64) int64 {
	if g.held.Load() == 0 || now < g.until.Load()-gateTime+restTime {
		return 0
	}
	return g.held.Swap(0)
}

// logRests ends the floods that have ended: how many lines more there would have
// been.
func (e *Engine) logRests(now int64) {
	if n := e.refusals.rest(now); n > 0 {
		e.log.Warn("connections refused", "more", n, "within", time.Duration(restTime).String())
	}
	for i := range e.endings {
		if n := e.endings[i].rest(now); n > 0 {
			why := because(Reason(i), "")
			e.log.Log(ctxNone, why.level(), "connections closed", "reason", why.Error(), "more", n,
				"within", time.Duration(restTime).String())
		}
	}
}

// level is that of a line about an end: info when it is in order.
func (e *Error) level() slog.Level {
	if e.Blame == BlameNone {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// logRefused tells of a connection that was not accepted.
func (e *Engine) logRefused(c *conn, why *Error) {
	if held, ok := e.refusals.open(e.now()); ok {
		e.log.Warn("connection refused", "proto", c.src.Proto.String(), "peer", c.src.Remote.String(),
			"reason", why.Error(), "more", held)
	}
}

// logClosed tells why a connection ended. Lines of one reason come once in a
// while, but all of them at level debug.
func (e *Engine) logClosed(c *conn, was phase, why *Error) {
	level := why.level()
	if !e.log.Enabled(ctxNone, level) {
		return
	}
	held, ok := e.endings[why.Reason].open(e.now())
	if !ok && !e.log.Enabled(ctxNone, slog.LevelDebug) {
		return
	}
	line := []any{"id", uint64(c.id), "proto", c.src.Proto.String(), "peer", c.src.Remote.String(),
		"phase", was.String(), "reason", why.Error(), "blame", why.Blame.String()}
	c.mu.Lock()
	domain := c.tls.domain
	c.mu.Unlock()
	if domain != "" {
		line = append(line, "domain", domain)
	}
	if held > 0 {
		line = append(line, "more", held)
	}
	e.log.Log(ctxNone, level, "connection closed", line...)
}

var ctxNone = context.Background()

// gnetLog gives gnet's own lines to the engine's logger. What gnet calls an
// error is mostly a peer that went away, which we tell ourselves.
type gnetLog struct{ log *slog.Logger }

func (g gnetLog) Debugf(format string, args ...any) {
	g.log.Debug("gnet: " + fmt.Sprintf(format, args...))
}
func (g gnetLog) Infof(format string, args ...any) {
	g.log.Debug("gnet: " + fmt.Sprintf(format, args...))
}
func (g gnetLog) Warnf(format string, args ...any) {
	g.log.Warn("gnet: " + fmt.Sprintf(format, args...))
}
func (g gnetLog) Errorf(format string, args ...any) {
	g.log.Error("gnet: " + fmt.Sprintf(format, args...))
}
func (g gnetLog) Fatalf(format string, args ...any) {
	g.log.Error("gnet: " + fmt.Sprintf(format, args...))
}
