package script

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// statistic is a number that scripts count with. It is spread over stripes, of
// which each machine has one, so that workers do not write to the same cache
// line; the sum counts.
type statistic struct {
	group, name string
	fixed       bool // no_reset
	stripes     [statStripes]struct {
		n atomic.Int64
		_ [56]byte
	}
}

const statStripes = 8

func (s *statistic) add(stripe uint32, n int64) { s.stripes[stripe%statStripes].n.Add(n) }

// value is what was counted. Several workers may count up and down in an order
// that shows less than nothing for a moment: that is nothing.
func (s *statistic) value() int64 {
	var sum int64
	for i := range s.stripes {
		sum += s.stripes[i].n.Load()
	}
	return max(0, sum)
}

// reset sets the statistic to 0, but for what is counted meanwhile.
func (s *statistic) reset() {
	for i := range s.stripes {
		s.stripes[i].n.Store(0)
	}
}

// StatisticSource is whom a script asks for statistics that are not its own:
// those of the engine and the proxy. Workers that have stood aside call it, and it
// should not take long. A name is group:name, or the name alone.
type StatisticSource interface {
	Statistic(name string) (n uint64, found bool)
	ResetStatistic(name string) (found bool)
	// StatisticsOf calls f with each of a group, in order.
	StatisticsOf(group string, f func(name string, n uint64))
}

// dynamicGroup is the group of statistics whose name has none.
const dynamicGroup = "dynamic"

// Bounds on what a script can make: names may come from messages.
const (
	maxStatistics    = 1000
	maxStatisticName = 128 // bytes
)

var (
	errManyStatistics = errors.New("there are as many statistics as there may be")
	errStatisticName  = errors.New("a statistic needs a name of 1 to 128 bytes of UTF-8")
	errStatisticGroup = errors.New("the group is not in stat_groups")
)

// statistics are those of a program, by group:name. Look-ups take no lock and
// allocate nothing.
type statistics struct {
	groups  map[string]bool // those that may be counted in
	others  atomic.Pointer[StatisticSource]
	mu      sync.Mutex // of who adds
	count   int        // of statistics; the map has some under two names
	all     atomic.Pointer[map[string]*statistic]
	stripes atomic.Uint32 // given to machines
	before  *statistics   // of the program that this one replaces; nil none
}

// newStatistics makes the statistics of a program. Those that previous has of the same
// name go on; nil: it replaces none.
func newStatistics(previous *Program) *statistics {
	s := &statistics{groups: map[string]bool{dynamicGroup: true}}
	if previous != nil {
		s.before = previous.stats
	}
	s.all.Store(&map[string]*statistic{})
	return s
}

// splitStatistic divides group:name.
func splitStatistic(full string) (group, name string) {
	if group, name, ok := strings.Cut(full, ":"); ok {
		return group, name
	}
	return dynamicGroup, full
}

// find looks for one of the script's own; nil if there is none.
func (s *statistics) find(full []byte) *statistic { return (*s.all.Load())[string(full)] }

// make gives the statistic of a name, a new one if there is none.
func (s *statistics) make(full string, fixed bool) (*statistic, error) {
	group, name := splitStatistic(full)
	switch {
	case name == "" || len(full) > maxStatisticName || !utf8.ValidString(full):
		return nil, errStatisticName
	case !s.groups[group]:
		return nil, errStatisticGroup
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.all.Load()
	if st := old[full]; st != nil {
		return st, nil
	}
	if s.count >= maxStatistics {
		return nil, errManyStatistics
	}
	s.count++
	st := s.earlier(group+":"+name, fixed)
	if st == nil {
		st = &statistic{group: group, name: name, fixed: fixed}
	}
	all := maps.Clone(old)
	all[group+":"+name] = st
	if group == dynamicGroup {
		all[name] = st
	}
	s.all.Store(&all)
	return st, nil
}

// earlier returns the statistic that a replaced program counts in; nil if it has none
// of that kind.
func (s *statistics) earlier(full string, fixed bool) *statistic {
	if s.before == nil {
		return nil
	}
	if st := (*s.before.all.Load())[full]; st != nil && st.fixed == fixed {
		return st
	}
	return nil
}

// settle takes over what messages have made of statistics in the replaced program, and
// lets go of that.
func (s *statistics) settle() {
	if s.before == nil {
		return
	}
	for full, st := range *s.before.all.Load() {
		if st.group == dynamicGroup && full == st.group+":"+st.name {
			_, _ = s.make(full, st.fixed) // beyond the bound it is left
		}
	}
	s.mu.Lock()
	s.before = nil
	s.mu.Unlock()
}

// Statistics calls f with each statistic of the script, in order; reset is nil
// for one that is not to be reset. Any goroutine may call it, and reset.
func (p *Program) Statistics(f func(group, name string, n uint64, reset func())) {
	all := *p.stats.all.Load()
	for _, full := range slices.Sorted(maps.Keys(all)) {
		st := all[full]
		if full != st.group+":"+st.name {
			continue
		}
		reset := st.reset
		if st.fixed {
			reset = nil
		}
		f(st.group, st.name, uint64(st.value()), reset)
	}
}

// SetStatistics tells the program whom $stat() asks for statistics that are not
// the script's. Without this call they are null. Any goroutine may call it.
func (p *Program) SetStatistics(s StatisticSource) { p.stats.others.Store(&s) }

// ProgramGroups are the groups that this program counts in itself.
var ProgramGroups = []string{"core", "net", "tls", "close", "proxy", "sl"}

// DeclareGroup declares a group that the script may count in.
func (l *Loading) DeclareGroup(name string) { l.k.prog.stats.groups[name] = true }

// DeclareStatistic makes a statistic of the script, [group:]name, before it counts;
// noReset: it is never reset. Its group was declared.
func (l *Loading) DeclareStatistic(at Pos, name string, noReset bool) {
	if _, err := l.k.prog.stats.make(name, noReset); err != nil {
		l.Errorf(at, "the statistic %q: %v", clip(name), err)
	}
}
