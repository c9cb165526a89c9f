// Package connlog writes what the log says of connections: why they ended or were refused,
// a flood of that as a few lines, and at level debug (log_level 4) the story of each. Lines
// have names, sizes and states, never bytes or keys.
//
// A Log is its engine's, and any goroutine may call it: loops and workers do. Its locks are
// leaves, and taken once a connection, at its end. It is given what it tells, and knows no
// connection.
package connlog

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/repeats"
	"sipreactor/reactor/internal/transport"
)

// Log writes to a logger, which must not block.
type Log struct {
	log        *slog.Logger
	repeats    endRepeats
	aliasMoves repeats.Table[endpoint.Key]
	full       repeats.Table[endpoint.Key]
}

// New returns a Log that has told nothing yet.
func New(log *slog.Logger) *Log { return &Log{log: log} }

// Conn is what a connection is called.
type Conn struct {
	ID       uint64
	Proto    transport.Proto
	Peer     netip.AddrPort
	Outbound bool // we opened it
}

var ctxNone = context.Background()

// AliasMoved tells that an alias has another holder: in order when a peer has
// come back, and else a sign that two peers claim one port. Each alias has one line a
// second, with the number of those left out before.
func (l *Log) AliasMoved(alias netip.AddrPort, from, to *Conn) {
	if more, ok := l.aliasMoves.Open(time.Now(), endpoint.Of(to.Proto, alias)); ok {
		l.log.Warn("alias moved to a newer connection", "proto", to.Proto.String(), "alias", alias.String(),
			"id", to.ID, "peer", to.Peer.String(), "before", from.ID, "peer_before", from.Peer.String(), "more", more)
	}
}

// MessageRefused tells that a message found no room, as too many wait for its connection.
// Each peer has one line a second, with the number of those left out before.
func (l *Log) MessageRefused(c *Conn, why *reason.Error) {
	if more, ok := l.full.Open(time.Now(), endpoint.Of(c.Proto, c.Peer)); ok {
		l.log.Warn("message refused", "proto", c.Proto.String(), "peer", c.Peer.String(), "id", c.ID, "reason", why.Error(), "more", more)
	}
}

// LeftAlone tells that a destination is left alone for a while.
func (l *Log) LeftAlone(p transport.Proto, peer netip.AddrPort, why *reason.Error) {
	l.log.Info("destination left alone", "proto", p.String(), "peer", peer.String(), "reason", why.Error(), "parameter", "tcp_backoff")
}

// Back tells that one is used again: a connection to it is up, or has brought an answer.
func (l *Log) Back(c *Conn) {
	l.log.Info("destination is used again", "proto", c.Proto.String(), "peer", c.Peer.String(), "id", c.ID)
}
