package reactor

import (
	"errors"
	"log/slog"
	"time"

	"sipreactor/tlsstate"
)

// The story of a connection is in the log at level debug (log_level 4): every
// event but its end, which logClosed tells, and each step of its handshake. It
// has names, sizes and states, never bytes or keys.

// logEvent tells one event.
func (e *Engine) logEvent(c *conn, kind EventKind, state *tlsstate.State) {
	if kind == ConnRefused || kind == ConnClosed || !e.log.Enabled(ctxNone, slog.LevelDebug) {
		return
	}
	line := append(c.storyLine(), "age", time.Since(c.born).Round(time.Microsecond).String())
	if state != nil {
		line = append(line, "took", c.tls.took.Round(time.Microsecond).String(), "domain", state.Domain,
			"version", state.VersionName(), "cipher", state.CipherName(), "sni", state.ServerName,
			"retried", state.Retried, "resumed", state.Resumed, "verified", state.Verified)
		if len(state.Peer) > 0 {
			line = append(line, "certificate", state.Peer[0].Subject.String())
		}
	}
	e.log.Log(ctxNone, slog.LevelDebug, "connection "+kind.String(), line...)
}

// logStep tells what one step of a handshake took and gave.
func (e *Engine) logStep(c *conn, took, gave int) {
	if !e.log.Enabled(ctxNone, slog.LevelDebug) {
		return
	}
	next := "waits for the peer"
	switch err := c.hs.err; {
	case err == nil:
		next = "is done"
	case errors.Is(err, tlsstate.ErrWantSignature):
		next = "waits for a signature"
	case !errors.Is(err, tlsstate.ErrWantRead):
		next = "fails"
	}
	e.log.Log(ctxNone, slog.LevelDebug, "handshake step",
		append(c.storyLine(), "received", took, "sends", gave, "then", next)...)
}

// storyLine names the connection.
func (c *conn) storyLine() []any {
	way := "in"
	if c.src.Outbound {
		way = "out"
	}
	return []any{"id", uint64(c.id), "way", way, "proto", c.src.Proto.String(), "peer", c.src.Remote.String()}
}
