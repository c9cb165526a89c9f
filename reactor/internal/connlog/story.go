package connlog

import (
	"errors"
	"log/slog"
	"time"

	"sipreactor/tlsstate"
)

// Event tells one event of a connection, but for its end or refusal, which Closed and
// Refused tell: what is called so happened when the connection was so old. state is of TLS,
// whose handshake took so long; nil without.
func (l *Log) Event(c *Conn, what string, age time.Duration, state *tlsstate.State, took time.Duration) {
	if !l.log.Enabled(ctxNone, slog.LevelDebug) {
		return
	}
	line := append(c.line(), "age", age.Round(time.Microsecond).String())
	if state != nil {
		line = append(line, "took", took.Round(time.Microsecond).String(), "domain", state.Domain,
			"version", state.VersionName(), "cipher", state.CipherName(), "sni", state.ServerName,
			"retried", state.Retried, "resumed", state.Resumed, "verified", state.Verified)
		if len(state.Peer) > 0 {
			line = append(line, "certificate", state.Peer[0].Subject.String())
		}
	}
	l.log.Log(ctxNone, slog.LevelDebug, "connection "+what, line...)
}

// Step tells what one step of a handshake took and gave, in bytes, and what it came to.
func (l *Log) Step(c *Conn, took, gave int, err error) {
	if !l.log.Enabled(ctxNone, slog.LevelDebug) {
		return
	}
	next := "waits for the peer"
	switch {
	case err == nil:
		next = "is done"
	case errors.Is(err, tlsstate.ErrWantSignature):
		next = "waits for a signature"
	case !errors.Is(err, tlsstate.ErrWantRead):
		next = "fails"
	}
	l.log.Log(ctxNone, slog.LevelDebug, "handshake step",
		append(c.line(), "received", took, "sends", gave, "then", next)...)
}

// line names the connection.
func (c *Conn) line() []any {
	way := "in"
	if c.Outbound {
		way = "out"
	}
	return []any{"id", c.ID, "way", way, "proto", c.Proto.String(), "peer", c.Peer.String()}
}
