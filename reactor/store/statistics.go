package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"
)

// counters are those of a pool.
type counters struct {
	statements, failed, late, refused, slow atomic.Uint64
	time                                    atomic.Int64 // ns
}

func (c *counters) count(took time.Duration, err error) {
	c.statements.Add(1)
	c.time.Add(int64(took))
	if err == nil {
		return
	}
	c.failed.Add(1)
	if errors.Is(err, context.DeadlineExceeded) {
		c.late.Add(1)
	}
}

// Statistics are the figures of a database since it was opened.
type Statistics struct {
	URL        URL
	Statements uint64        // that were tried
	Failed     uint64        // of them, with an error
	Late       uint64        // of those, because they took too long
	Refused    uint64        // not tried: the database was gone, or too many waited
	Slow       uint64        // that took longer than Options.Slow
	Time       time.Duration // all statements together
	Cut        uint64        // texts that were longer than their columns, of those that may be cut
	Conns      int           // connections now
	Busy       int           // of them, in use
	Waiting    int           // statements under way or waiting now
	Down       bool          // gone, as far as is known
}

// Statistics returns the figures of db, which all who opened its URL share.
func (db *DB) Statistics() Statistics { return db.pool.statistics() }

func (p *pool) statistics() Statistics {
	s := Statistics{
		URL: p.url, Statements: p.counters.statements.Load(), Failed: p.counters.failed.Load(), Late: p.counters.late.Load(),
		Refused: p.counters.refused.Load(), Slow: p.counters.slow.Load(), Time: time.Duration(p.counters.time.Load()),
	}
	s.Waiting, s.Down = p.gate.Waiting()
	if b, ok := p.backend.(*sqlBackend); ok {
		f := b.pool.Stats()
		s.Cut = b.cut.Load()
		s.Conns, s.Busy = f.OpenConnections, f.InUse
	}
	return s
}

// All returns the figures of all databases that are open, by their URLs.
func All() []Statistics {
	pools.mu.Lock()
	defer pools.mu.Unlock()
	var list []Statistics
	for _, p := range pools.open {
		list = append(list, p.statistics())
	}
	slices.SortFunc(list, func(a, b Statistics) int { return cmp.Compare(a.URL.String(), b.URL.String()) })
	return list
}
