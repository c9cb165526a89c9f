package pua

import (
	"context"
	"time"

	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

// Module is pua of one configuration.
type Module struct {
	least, usual int64 // seconds that a publication or subscription lasts
	state        *state
	tm           *tm.Module
	env          *script.Env
	failed       script.Count
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{least: 300, usual: 3600, state: newState()}
	idle := func(name string, kind script.ParamType, help, why string) script.Parameter {
		return script.Parameter{Name: name, Type: kind, Help: help, Note: why}
	}
	const memory = "publications and subscriptions are in memory; after a restart the server lets go what nobody refreshes"
	return &script.Module{
		Name: "pua", Help: "Publishes and subscribes, for pua_usrloc, pua_dialoginfo and pua_mi.", Needs: []string{"tm"}, Instance: m,
		Parameters: []script.Parameter{
			{Name: "min_expires", Type: script.IntParam, Max: 86400, Default: "300", Unit: "seconds", Help: "How long a publication or subscription lasts at least.", Set: script.Into(&m.least)},
			{Name: "default_expires", Type: script.IntParam, Min: 1, Max: 30 * 86400, Default: "3600", Unit: "seconds", Help: "How long one lasts that does not say.", Set: script.Into(&m.usual)},
			idle("db_url", script.StringParam, "The database.", memory), idle("db_table", script.StringParam, "The table.", memory),
			idle("update_period", script.IntParam, "How often the database is written.", memory),
			idle("hash_size", script.IntParam, "Size of a table.", "tables grow by themselves"),
			idle("cluster_id", script.IntParam, "The cluster.", "there is no cluster"), idle("cluster_sharing_tag", script.StringParam, "Tag of the node that ends publications.", "there is no cluster"),
		},
		Functions: []script.Function{{
			Name: "pua_update_contact", Usage: "pua_update_contact()", Help: "Sends later SUBSCRIBEs of the subscription that the NOTIFY is of to its Contact. -1: there is no such subscription.",
			Routes: script.Routes(script.RequestRoute), Build: m.updateContact,
		}},
		Statistics: []script.Statistic{
			{Name: "publications", Help: "Publications of ours.", Gauge: true, Value: func() uint64 { n, _ := m.state.size(); return n }},
			{Name: "subscriptions", Help: "Subscriptions of ours.", Gauge: true, Value: func() uint64 { _, n := m.state.size(); return n }},
			{Name: "failed", Help: "PUBLISHes and SUBSCRIBEs that were refused or not answered.", Count: &m.failed},
		},
		Check: func(l *script.Loading) { m.tm, _ = l.Instance("tm").(*tm.Module) },
		Start: func(e *script.Env) error {
			m.env = e
			if old, ok := e.Previous.(*Module); ok {
				m.state = old.state
			}
			e.Every(time.Second, func(context.Context) { m.sweep(time.Now().Unix()) })
			return nil
		},
	}
}

// lasts gives the seconds that something is to last: 0 ends it, less than 0 is as usual.
func (m *Module) lasts(seconds int64) int64 {
	switch {
	case seconds == 0:
		return 0
	case seconds < 0:
		seconds = m.usual
	}
	return max(seconds, m.least, 1)
}

// sweep refreshes what is about to end, and forgets what has.
func (m *Module) sweep(now int64) {
	m.state.mu.Lock()
	publish, subscribe := m.state.due(now)
	m.state.mu.Unlock()
	for _, r := range publish {
		m.publish(nil, r)
	}
	for _, s := range subscribe {
		m.subscribe(nil, s)
	}
}
