package connlog

import (
	"log/slog"
	"time"

	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// Rests ends the floods that have ended at now: how many lines more there would have
// been, for each peer and reason.
func (l *Log) Rests(now int64) {
	within := time.Duration(restTime).String()
	list, untold := l.repeats.rests(now)
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
		l.log.Log(ctxNone, level, msg, append(line, "reason", reason.Because(r.reason, r.cause).Error(), "more", r.more, "within", within)...)
	}
	for i, n := range untold {
		if n > 0 {
			l.log.Warn("connections closed or refused, of more peers than are told apart", "reason", reason.Reason(i).String(),
				"more", n, "told_apart", keysBound)
		}
	}
}

// levelOf is that of a line about an end: info when it is in order.
func levelOf(e *reason.Error) slog.Level {
	if e.Blame == reason.BlameNone {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// Refused tells of a connection that was not accepted: the first of each peer
// and reason, and further ones once in a while.
func (l *Log) Refused(now int64, c *Conn, why *reason.Error) {
	if held, ok := l.repeats.open(now, keyOf(c, why, true)); ok {
		l.log.Warn("connection refused", "proto", c.Proto.String(), "peer", c.Peer.String(),
			"reason", why.Error(), "more", held)
	}
}

// Closed tells why a connection ended in a phase: the first of each peer and reason, and
// further ones once in a while, but all of them at level debug. Orderly ends are
// told once in a while for each reason. domain is that of TLS; "" without.
func (l *Log) Closed(now int64, c *Conn, was phase.Phase, why *reason.Error, domain string) {
	level := levelOf(why)
	if !l.log.Enabled(ctxNone, level) {
		return
	}
	held, ok := l.repeats.open(now, keyOf(c, why, false))
	if !ok && !l.log.Enabled(ctxNone, slog.LevelDebug) {
		return
	}
	line := []any{"id", c.ID, "proto", c.Proto.String(), "peer", c.Peer.String(),
		"phase", was.String(), "reason", why.Error(), "blame", why.Blame.String()}
	if domain != "" {
		line = append(line, "domain", domain)
	}
	if held > 0 {
		line = append(line, "more", held)
	}
	l.log.Log(ctxNone, level, "connection closed", line...)
}
