package loadbalancer

import "sipreactor/reactor/modules/freeswitch"

// initialCapacity is one that FreeSWITCH has not told yet; negative: it is not asked.
func (m *module) initialCapacity() int64 {
	if m.freeswitch == nil {
		return -1
	}
	return m.initial
}

// fetch has the servers of a table tell its capacities. What one has told holds until it
// tells another, over its absence and over a reload, too.
func (m *module) fetch(t *Table) {
	if m.freeswitch == nil {
		return
	}
	var all []freeswitch.Subscription
	for _, d := range t.All {
		for _, r := range d.Resources {
			if r.server == nil {
				continue
			}
			all = append(all, freeswitch.Subscription{URL: *r.server, Events: []string{freeswitch.Heartbeat}, Each: func(e *freeswitch.Event) {
				if l, ok := e.Load(); ok {
					r.Capacity.Store(capacityOf(l, r.Load.Load()))
				}
			}})
		}
	}
	m.freeswitch.Follow("load_balancer", all)
}

// capacityOf is what a server can take, of which calls of ours are load.
func capacityOf(l freeswitch.Load, load int64) int64 {
	return max(int64(l.Idle*(l.Max-(l.Sessions-float64(load)))), 0)
}
