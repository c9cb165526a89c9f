package reactor

import (
	"context"
	"log/slog"
	"time"

	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// logRests ends the floods that have ended: how many lines more there would have
// been, for each peer and reason.
func (e *Engine) logRests(now int64) {
	within := time.Duration(restTime).String()
	list, untold := e.folds.rests(now)
	for i := range list {
		r := &list[i]
		level, msg := slog.LevelInfo, "connections closed"
		if r.refused {
			level, msg = slog.LevelWarn, "connections refused"
		}
		var line []any
		if r.peer.Addr().IsValid() {
			level = slog.LevelWarn
			line = []any{"proto", r.proto.String(), "peer", r.name()}
		}
		e.log.Log(ctxNone, level, msg, append(line, "reason", reason.Because(r.reason, r.cause).Error(), "more", r.more, "within", within)...)
	}
	for i, n := range untold {
		if n > 0 {
			e.log.Warn("connections closed or refused, of more peers than are told apart", "reason", Reason(i).String(),
				"more", n, "told_apart", foldBound)
		}
	}
}

// levelOf is that of a line about an end: info when it is in order.
func levelOf(e *Error) slog.Level {
	if e.Blame == BlameNone {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// logRefused tells of a connection that was not accepted: the first of each peer
// and reason, and further ones once in a while.
func (e *Engine) logRefused(c *conn, why *Error) {
	if held, ok := e.folds.open(e.now(), c.foldKey(why, true)); ok {
		e.log.Warn("connection refused", "proto", c.src.Proto.String(), "peer", c.src.Remote.String(),
			"reason", why.Error(), "more", held)
	}
}

// logClosed tells why a connection ended: the first of each peer and reason, and
// further ones once in a while, but all of them at level debug. Orderly ends are
// told once in a while for each reason.
func (e *Engine) logClosed(c *conn, was phase.Phase, why *Error) {
	level := levelOf(why)
	if !e.log.Enabled(ctxNone, level) {
		return
	}
	held, ok := e.folds.open(e.now(), c.foldKey(why, false))
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
