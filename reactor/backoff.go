package reactor

import (
	"net/netip"

	"sipreactor/reactor/internal/dialing"
)

// BackoffInfo describes a destination that is left alone: Proto and Addr, Socket, Domain and
// Name, Reason, Step, Left and Since, Probing, Refused. See go doc
// sipreactor/reactor/internal/dialing.Info.
type BackoffInfo = dialing.Info

// Backoff lists the destinations that are left alone, the latest failure first.
// Any goroutine.
func (e *Engine) Backoff() []BackoffInfo { return e.dialer.List() }

// ResetBackoff has the destinations at an address, or all for an invalid one,
// tried again by the next message. It tells how many there were. Any goroutine.
func (e *Engine) ResetBackoff(at netip.AddrPort) int { return e.conns.Backoff.Reset(at) }

// Unreachable has the destination of a datagram left alone for a while, in favour of
// others of the same name (Target.Set): for a Handler that has found what u quotes
// to be true. Any goroutine.
func (e *Engine) Unreachable(u *Undelivered) { e.dialer.Unreachable(u) }
