package database

import (
	"errors"
	"sync/atomic"
	"time"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Kind is the module of a kind of database.
type Kind struct {
	scheme   store.Scheme
	slow     int64 // µs, 0 none
	Timeout  time.Duration
	event    string // that a database is gone or back; "" none
	env      atomic.Pointer[script.Env]
	Declared script.Module // what New returns
}

// New makes the module of a kind. event is raised when a database is gone and back;
// "" is none.
func New(scheme store.Scheme, help, event string, more ...script.Parameter) *Kind {
	k := &Kind{scheme: scheme, event: event}
	k.Declared = script.Module{
		Name: scheme.Module(), Help: help, Instance: k, Parameters: more,
		Start: func(e *script.Env) error {
			k.env.Store(e)
			return nil
		},
	}
	for _, s := range []struct {
		name, help string
		gauge      bool
		value      func(*store.Statistics) uint64
	}{
		{"statements", "Statements that were tried.", false, func(s *store.Statistics) uint64 { return s.Statements }},
		{"failed", "Statements that failed.", false, func(s *store.Statistics) uint64 { return s.Failed }},
		{"late", "Statements that took too long.", false, func(s *store.Statistics) uint64 { return s.Late }},
		{"refused", "Statements that were not tried: the database was gone, or too many waited.", false, func(s *store.Statistics) uint64 { return s.Refused }},
		{"slow", "Statements that took longer than exec_query_threshold.", false, func(s *store.Statistics) uint64 { return s.Slow }},
		{"cut", "Texts that were longer than their columns, of those that may be cut.", false, func(s *store.Statistics) uint64 { return s.Cut }},
		{"connections", "Connections to databases.", true, func(s *store.Statistics) uint64 { return uint64(s.Conns) }},
		{"waiting", "Statements under way or waiting for a connection.", true, func(s *store.Statistics) uint64 { return uint64(s.Waiting) }},
		{"down", "Databases that are gone.", true, func(s *store.Statistics) uint64 {
			if s.Down {
				return 1
			}
			return 0
		}},
	} {
		k.Declared.Statistics = append(k.Declared.Statistics, script.Statistic{Name: s.name, Help: s.help, Gauge: s.gauge, Value: func() (sum uint64) {
			for _, f := range store.All() {
				if f.URL.Scheme == scheme {
					sum += s.value(&f)
				}
			}
			return sum
		}})
	}
	if event != "" {
		k.Declared.Events = []script.Event{{Name: event, Help: "A database is gone, or back.", Params: []string{"url", "status"}}}
	}
	return k
}

// Slow returns exec_query_threshold, which several kinds have.
func (k *Kind) Slow() script.Parameter {
	return script.Parameter{
		Name: "exec_query_threshold", Type: script.IntParam, Unit: "µs; 0 is off", Default: "0",
		Help: "A statement that takes longer is logged and counted.", Set: script.Into(&k.slow),
	}
}

// UseTLS returns use_tls, which the kinds that are servers have.
func (k *Kind) UseTLS() script.Parameter {
	return script.Parameter{
		Name: "use_tls", Type: script.BoolParam, Default: "0", Help: "TLS with a domain of tls_mgm: the URL asks for TLS in its place.",
		Set: func(v script.Literal) error {
			if v.Int == 0 {
				return nil
			}
			return errors.New("is not supported: db_url asks for TLS, by ?tls=true for MySQL and ?sslmode=verify-full for PostgreSQL")
		},
	}
}

// Options returns the bounds of a pool of the kind.
func (k *Kind) Options() store.Options {
	o := store.Options{Timeout: k.Timeout, Slow: time.Duration(k.slow) * time.Microsecond}
	if k.event != "" {
		o.Changed = k.changed
	}
	return o
}

func (k *Kind) changed(u store.URL, up bool) {
	status := "disconnected"
	if up {
		status = "connected"
	}
	if e := k.env.Load(); e != nil {
		e.Raise(k.event, script.TextParam("url", u.String()), script.TextParam("status", status))
	}
}
