package dispatcher

import (
	"math"

	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/script"
)

// fetching is whether and how FreeSWITCH servers tell weights.
type fetching struct {
	freeswitch *freeswitch.Module // nil: they do not
	fetching   bool
	maxTold    int // highest weight in a set that has one from them
}

// checkFetching finds the module that weights come by.
func (m *module) checkFetching(l *script.Loading) {
	if !m.fetching.fetching {
		return
	}
	if m.freeswitch, _ = l.Instance("freeswitch").(*freeswitch.Module); m.freeswitch == nil && !l.Partial() {
		l.Errorf(l.Place("fetch_freeswitch_stats"), `weights are told by the module freeswitch: loadmodule "freeswitch.so"`)
	}
}

// fetch has the servers of a table tell its weights. What one has told holds until it tells
// another, over its absence and over a reload, too.
func (m *module) fetch(p *partition, t *Table) {
	if m.freeswitch == nil {
		return
	}
	var all []freeswitch.Subscription
	for _, s := range t.Sets {
		for _, d := range s.Members {
			if d.Row.server == nil {
				continue
			}
			all = append(all, freeswitch.Subscription{URL: *d.Row.server, Events: []string{freeswitch.Heartbeat}, Each: func(e *freeswitch.Event) {
				if l, ok := e.Load(); ok {
					told := int64(weightOf(l, m.maxTold)) + 1
					if d.told.Swap(told) != told {
						s.weigh()
					}
				}
			}})
		}
	}
	m.freeswitch.Follow("dispatcher "+p.name, all)
}

// weightOf is the weight of a server by its load.
func weightOf(l freeswitch.Load, most int) int {
	return min(max(int(math.Round(float64(most)*l.Idle*(1-l.Sessions/l.Max))), 0), most)
}
