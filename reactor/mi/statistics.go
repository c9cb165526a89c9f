package mi

import (
	"context"
	"maps"
	"strings"
	"sync"

	"sipreactor/reactor/rpc"
)

// Value is one statistic at one moment.
type Value struct {
	Group, Name string
	// Gauge goes up and down; what is none only grows, until it is reset.
	Gauge bool
	N     uint64
	// Func is asked instead of N, when the statistic is wanted; for what is
	// costly to find out.
	Func func() uint64
	// Reset sets what only grows back to 0 at its source; nil has Statistics hide
	// what was counted before.
	Reset func()
}

// Source calls add with each statistic it knows, always in the same order. One
// that counts something rare may be missing until that happens. Several
// goroutines may call it at once.
type Source func(add func(Value))

// Statistics are what sources know, as OpenSIPS presents it. A reset hides what
// was counted before; the sources count on. Any goroutine may use it.
type Statistics struct {
	sources []Source
	mu      sync.Mutex
	base    map[string]uint64 // what a reset hides, by group:name
}

// NewStatistics makes Statistics of sources.
func NewStatistics(sources ...Source) *Statistics {
	return &Statistics{sources: sources, base: make(map[string]uint64)}
}

// Each calls f with every statistic, less what resets hide.
func (s *Statistics) Each(f func(Value)) { s.gather(nil, f) }

// gather calls f with the statistics that are wanted; nil wants all. Func is
// asked after want, which may take it away.
func (s *Statistics) gather(want func(*Value) bool, f func(Value)) {
	s.mu.Lock()
	hidden := maps.Clone(s.base)
	s.mu.Unlock()
	for _, source := range s.sources {
		source(func(v Value) {
			if want != nil && !want(&v) {
				return
			}
			if v.Func != nil {
				v.N, v.Func = v.Func(), nil
			}
			if base := hidden[v.Group+":"+v.Name]; base <= v.N {
				v.N -= base
			}
			f(v)
		})
	}
}

// errNoStatistics is OpenSIPS' answer when nothing has the name.
var errNoStatistics = &rpc.Error{Code: rpc.CodeNotFound, Message: "Statistics Not Found"}

// wanted reads what a command was asked for: all, group:, group:name or name.
func wanted(names []string) func(*Value) bool {
	for _, n := range names {
		if n == "all" {
			return func(*Value) bool { return true }
		}
	}
	return func(v *Value) bool {
		for _, n := range names {
			group, name, whole := strings.Cut(n, ":")
			switch {
			case !whole && n == v.Name, whole && group == v.Group && (name == "" || name == v.Name):
				return true
			}
		}
		return false
	}
}

// Commands gives get_statistics, list_statistics and reset_statistics.
func (s *Statistics) Commands() []rpc.Command {
	return []rpc.Command{
		{
			Name: "get_statistics", Aliases: []string{"statistics:get"}, Module: "statistics",
			Help:   "Gives statistics: all, those of a group (group:), or one (group:name).",
			Params: []rpc.Param{{Name: "statistics", Kind: rpc.List}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				return s.list(wanted(a.List("statistics")), func(v Value) any { return v.N })
			},
		},
		{
			Name: "list_statistics", Aliases: []string{"statistics:list"}, Module: "statistics",
			Help:   "Lists the names of statistics, and whether they only grow (incremental).",
			Params: []rpc.Param{{Name: "statistics", Kind: rpc.List, Optional: true}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				names := a.List("statistics")
				if len(names) == 0 {
					names = []string{"all"}
				}
				want := wanted(names)
				byName := func(v *Value) bool { v.Func = nil; return want(v) }
				return s.list(byName, func(v Value) any {
					if v.Gauge {
						return "non-incremental"
					}
					return "incremental"
				})
			},
		},
		{
			Name: "reset_statistics", Aliases: []string{"statistics:reset"}, Module: "statistics",
			Help:   "Sets statistics that only grow back to 0: all, those of a group (group:), or one (group:name).",
			Params: []rpc.Param{{Name: "statistics", Kind: rpc.List}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				return s.reset(a.List("statistics"))
			},
		},
	}
}

func (s *Statistics) list(want func(*Value) bool, show func(Value) any) (any, error) {
	var o rpc.Object
	s.gather(want, func(v Value) { o = append(o, rpc.Field{Name: v.Group + ":" + v.Name, Value: show(v)}) })
	if o == nil {
		return nil, errNoStatistics
	}
	return o, nil
}

func (s *Statistics) reset(names []string) (any, error) {
	found := false
	counted := make(map[string]uint64)
	want := wanted(names)
	s.gather(func(v *Value) bool {
		named := want(v)
		found = found || named
		return named && !v.Gauge
	}, func(v Value) {
		if v.Reset != nil {
			v.Reset()
			return
		}
		counted[v.Group+":"+v.Name] += v.N
	})
	if !found {
		return nil, errNoStatistics
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, n := range counted {
		s.base[name] += n
	}
	return "OK", nil
}

// Statistic gives one by its name, group:name or the name alone, of which the
// first that has it counts.
func (s *Statistics) Statistic(name string) (n uint64, found bool) {
	want := wanted([]string{name})
	s.gather(func(v *Value) bool { return !found && !whole(name) && want(v) }, func(v Value) { n, found = v.N, true })
	return n, found
}

// StatisticsOf calls f with each of a group, in order.
func (s *Statistics) StatisticsOf(group string, f func(name string, n uint64)) {
	s.gather(func(v *Value) bool { return v.Group == group }, func(v Value) { f(v.Name, v.N) })
}

// ResetStatistic hides what one has counted so far; false when there is none of
// that name that only grows.
func (s *Statistics) ResetStatistic(name string) (found bool) {
	want := wanted([]string{name})
	s.gather(func(v *Value) bool { v.Func = nil; return want(v) && !v.Gauge && !whole(name) }, func(Value) { found = true })
	if found {
		_, _ = s.reset([]string{name})
	}
	return found
}

// whole tells whether a name is that of many: all, or a group.
func whole(name string) bool { return name == "all" || strings.HasSuffix(name, ":") }
