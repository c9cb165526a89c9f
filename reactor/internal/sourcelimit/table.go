// Package sourcelimit bounds what one source may take of all: an IPv4 address, or
// the /64 of an IPv6 one. A source is in the table as long as it has connections,
// and a while longer for the sake of its rate.
package sourcelimit

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// Limits are the bounds of one source; 0 is no bound.
type Limits struct {
	Connections   int            // at the same time
	Handshakes    int            // that are under way
	HandshakeRate int            // that begin in one second
	Unfinished    int            // messages that are not complete
	Allow         []netip.Prefix // sources without bounds
}

// free reports whether an address is in Allow.
func (l *Limits) free(a netip.Addr) bool {
	for _, p := range l.Allow {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Of returns what counts as one source: an IPv4 address, or the /64 of an IPv6 one,
// of which any host may have all. The zero value stands for no address.
func Of(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !a.Is6() {
		return a
	}
	p, _ := a.Prefix(64) // 64 is a length that IPv6 has; a prefix has no zone
	return p.Addr()
}

// Verdict is whether a connection may enter, and the bound that it would break.
type Verdict uint8

// The verdicts.
const (
	Admitted Verdict = iota
	Connections
	Handshakes
	HandshakeRate
)

// Table is what each source has of us. The zero value is empty. Any goroutine.
type Table struct {
	mu  sync.Mutex
	all map[netip.Addr]*source
}

// source counts what one source has. The table's lock guards all but unfinished.
type source struct {
	addr        netip.Addr
	connections int
	handshakes  int
	second      int64 // on the caller's clock
	begun       int   // handshakes in it
	unfinished  atomic.Int32
}

// Place is what one connection counts to its source. The zero value counts nothing,
// as that of a source without bounds. One goroutine at a time.
type Place struct {
	table      *Table
	source     *source
	shaking    bool
	unfinished bool
	limit      int
}

// sweepSteps is how many sources are looked at for each one that comes: more than
// one, so that those that are done with go faster than others come.
const sweepSteps = 4

// Enter counts a connection from an address to its source; handshake tells that it
// begins with one, now is the second. Unless it is admitted, the place stays empty.
func (t *Table) Enter(p *Place, limits *Limits, from netip.Addr, handshake bool, now int64) Verdict {
	if limits.free(from) {
		return Admitted
	}
	addr := Of(from)
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.all[addr]
	if s == nil {
		t.sweep(now)
		s = &source{addr: addr}
		if t.all == nil {
			t.all = make(map[netip.Addr]*source)
		}
		t.all[addr] = s
	}
	if beyond(s.connections, limits.Connections) {
		return Connections
	}
	if handshake {
		if s.second != now {
			s.second, s.begun = now, 0
		}
		if beyond(s.handshakes, limits.Handshakes) {
			return Handshakes
		}
		if beyond(s.begun, limits.HandshakeRate) {
			return HandshakeRate
		}
		s.handshakes++
		s.begun++
	}
	s.connections++
	*p = Place{table: t, source: s, shaking: handshake, limit: limits.Unfinished}
	return Admitted
}

// beyond reports whether one more is too many.
func beyond(n, limit int) bool { return limit > 0 && n >= limit }

// sweep forgets a few sources that have nothing any more. The lock is held.
func (t *Table) sweep(now int64) {
	n := 0
	for addr, s := range t.all {
		if s.connections == 0 && s.second < now {
			delete(t.all, addr)
		}
		if n++; n == sweepSteps {
			return
		}
	}
}

// Totals returns how many sources there are, and what all of them have.
func (t *Table) Totals() (sources, connections, handshakes, unfinished int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.all {
		connections += s.connections
		handshakes += s.handshakes
		unfinished += int(s.unfinished.Load())
	}
	return len(t.all), connections, handshakes, unfinished
}

// HandshakeEnded ends the count of the handshake, however that ended.
func (p *Place) HandshakeEnded() {
	if !p.shaking {
		return
	}
	p.shaking = false
	p.table.mu.Lock()
	p.source.handshakes--
	p.table.mu.Unlock()
}

// Leave takes the connection out of its source.
func (p *Place) Leave() {
	if p.source == nil {
		return
	}
	p.HandshakeEnded()
	p.Unfinished(false)
	p.table.mu.Lock()
	p.source.connections--
	p.table.mu.Unlock()
	p.source = nil
}

// Unfinished notes whether the connection has a message that is not complete. It
// returns false when its source has too many of those.
func (p *Place) Unfinished(is bool) bool {
	if p.source == nil || p.unfinished == is {
		return true
	}
	p.unfinished = is
	if !is {
		p.source.unfinished.Add(-1)
		return true
	}
	return int(p.source.unfinished.Add(1)) <= p.limit || p.limit == 0
}
