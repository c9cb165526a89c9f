package page

import (
	"net/netip"
	"slices"
	"time"

	"sipreactor/reactor"
)

const (
	// maxSlowest is how many handshakes are listed.
	maxSlowest = 10
	// slowWindow is the time after which a list is closed and a new one begun:
	// what is shown is of the last one to two of them.
	slowWindow = 5 * time.Minute
)

// handshake is one that succeeded.
type handshake struct {
	at       time.Time
	took     time.Duration
	conn     reactor.Handle
	remote   netip.AddrPort
	outbound bool
	domain   string
	version  string
	resumed  bool
}

// slowest holds the slowest handshakes of this window and of the one before.
type slowest struct {
	since     time.Time
	now, past []handshake // the slowest first
}

func (s *slowest) add(h *happening) {
	if h.kind != reactor.ConnEstablished || h.version == "" {
		return
	}
	s.turn(h.time)
	at, _ := slices.BinarySearchFunc(s.now, h.took, func(e handshake, took time.Duration) int {
		return int(min(max(took-e.took, -1), 1)) // falling
	})
	if at >= maxSlowest {
		return
	}
	if len(s.now) == maxSlowest {
		s.now = s.now[:maxSlowest-1]
	}
	s.now = slices.Insert(s.now, at, handshake{at: h.time, took: h.took, conn: h.source.Conn, remote: h.source.Remote,
		outbound: h.source.Outbound, domain: h.domain, version: h.version, resumed: h.resumed})
}

// turn begins a new window when the old one is over.
func (s *slowest) turn(now time.Time) {
	switch age := now.Sub(s.since); {
	case age < slowWindow:
	case age < 2*slowWindow:
		s.past, s.now, s.since = s.now, nil, now
	default:
		s.past, s.now, s.since = nil, nil, now
	}
}

// list gives the slowest of both windows.
func (s *slowest) list(now time.Time) []handshake {
	s.turn(now)
	all := slices.Concat(s.now, s.past)
	slices.SortStableFunc(all, func(a, b handshake) int { return int(min(max(b.took-a.took, -1), 1)) })
	return all[:min(len(all), maxSlowest)]
}
