package script

import "sync/atomic"

// Count is a number of a module that only goes up: one that Statistic.Count shows. It
// outlives a reload: both configurations count in the same, as messages go on by the
// one that is replaced. The zero value is 0. Any goroutine may call its methods.
type Count struct {
	n atomic.Pointer[atomic.Uint64] // by itself, so that it keeps no module that is replaced
}

// Add counts n more and returns what that makes.
func (c *Count) Add(n uint64) uint64 { return c.number().Add(n) }

// Load returns what was counted.
func (c *Count) Load() uint64 { return c.number().Load() }

func (c *Count) number() *atomic.Uint64 {
	if n := c.n.Load(); n != nil {
		return n
	}
	c.n.CompareAndSwap(nil, new(atomic.Uint64))
	return c.n.Load()
}

// Read returns the statistic's number. Any goroutine.
func (s *Statistic) Read() uint64 {
	if s.Count != nil {
		return s.Count.Load()
	}
	return s.Value()
}

// countOn has the statistics of modules go on from those of the configuration that c
// replaces.
func (c *Config) countOn(previous *Config) {
	before := make(map[[2]string]*Count)
	previous.ModuleStatistics(func(group string, s *Statistic) {
		if s.Count != nil {
			before[[2]string{group, s.Name}] = s.Count
		}
	})
	c.ModuleStatistics(func(group string, s *Statistic) {
		if b := before[[2]string{group, s.Name}]; b != nil && s.Count != nil {
			s.Count.n.Store(b.number())
		}
	})
}
