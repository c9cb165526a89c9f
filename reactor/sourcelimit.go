package reactor

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// SourceLimits bound what one source may take (SourceOf: an IPv4 address, or the
// /64 of an IPv6 one). 0 is no bound.
type SourceLimits struct {
	Connections   int            // accepted connections at the same time
	Handshakes    int            // accepted TLS handshakes that are under way
	HandshakeRate int            // accepted TLS handshakes that begin in one second
	Unfinished    int            // messages that are not complete, on accepted connections
	Allow         []netip.Prefix // sources without bounds
}

// free reports whether an address is in Allow.
func (l *SourceLimits) free(a netip.Addr) bool {
	for _, p := range l.Allow {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// sources is what each source has of us. A source is there as long as it has
// connections, and a while longer for the sake of its rate. Any goroutine.
type sources struct {
	mu  sync.Mutex
	all map[netip.Addr]*source
}

// source counts what one source has. The table's lock guards all but unfinished.
type source struct {
	addr        netip.Addr
	connections int
	handshakes  int
	second      int64 // on the engine's clock
	begun       int   // handshakes in it
	unfinished  atomic.Int32
}

// sweepSteps is how many sources are looked at for each one that comes: more than
// one, so that those that are done with go faster than others come.
const sweepSteps = 4

// enter counts an accepted connection to its source, or gives the bound that it
// would break. A source without bounds is not counted.
func (t *sources) enter(c *conn, now int64) Refusal {
	limits := &c.eng.cfg.Sources
	from := c.src.Remote.Addr()
	if limits.free(from) {
		return admitted
	}
	addr := SourceOf(from)
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
		return RefusedSource
	}
	if c.src.Proto == TLS {
		if s.second != now {
			s.second, s.begun = now, 0
		}
		if beyond(s.handshakes, limits.Handshakes) {
			return RefusedSourceHandshakes
		}
		if beyond(s.begun, limits.HandshakeRate) {
			return RefusedSourceRate
		}
		s.handshakes++
		s.begun++
		c.shaking = true
	}
	s.connections++
	c.source = s
	return admitted
}

// beyond reports whether one more is too many.
func beyond(n, limit int) bool { return limit > 0 && n >= limit }

// sweep forgets a few sources that have nothing any more. The lock is held.
func (t *sources) sweep(now int64) {
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

// shook ends the count of a handshake, however that ended. Loop only.
func (c *conn) shook() {
	if !c.shaking {
		return
	}
	c.shaking = false
	t := &c.eng.sources
	t.mu.Lock()
	c.source.handshakes--
	t.mu.Unlock()
}

// quit takes an accepted connection out of its source. Loop only.
func (c *conn) quit() {
	if c.source == nil {
		return
	}
	c.shook()
	c.unfinished(false)
	t := &c.eng.sources
	t.mu.Lock()
	c.source.connections--
	t.mu.Unlock()
	c.source = nil
}

// unfinished notes whether the connection has a message that is not complete. It
// returns false when its source has too many of those. Loop only.
func (c *conn) unfinished(is bool) bool {
	if c.cutShort.Swap(is) == is || c.source == nil {
		return true
	}
	if !is {
		c.source.unfinished.Add(-1)
		return true
	}
	limit := c.eng.cfg.Sources.Unfinished
	return int(c.source.unfinished.Add(1)) <= limit || limit == 0
}
