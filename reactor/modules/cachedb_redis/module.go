package cachedb_redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sipreactor/reactor/script"
)

// module is the module in one configuration.
type module struct {
	urls     []groupURL
	groups   []*group
	limits   timeouts
	mustBe   bool // shutdown_on_error
	lazy     bool // lazy_connect
	keepTime time.Duration
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{limits: timeouts{connect: 5 * time.Second, query: 5 * time.Second}, keepTime: 10 * time.Second}
	idle := func(name, kind, help string) script.Parameter {
		p := script.Parameter{Name: name, Type: script.IntParam, Help: help, Note: "documents in JSON are not kept in Redis"}
		if kind != "" {
			p.Type = script.StringParam
		}
		return p
	}
	return &script.Module{
		Name: "cachedb_redis", Help: "cache_store() and its kind on Redis servers.", Instance: m,
		Parameters: []script.Parameter{
			{
				Name: "cachedb_url", Type: script.StringParam, Set: m.add,
				Help: "A group of servers that scripts name by what stands before ://, \"redis:group://user:password@host:port,host/database\"; ?socket=path for one of this machine.",
			},
			{Name: "connect_timeout", Type: script.IntParam, Min: 1, Max: 60_000, Unit: "ms", Default: "5000", Help: "How long connecting may take.", Set: script.Milliseconds(&m.limits.connect)},
			{Name: "query_timeout", Type: script.IntParam, Min: 1, Max: 60_000, Unit: "ms", Default: "5000", Help: "How long a command may take.", Set: script.Milliseconds(&m.limits.query)},
			{Name: "redis_keepalive", Type: script.IntParam, Min: 0, Max: 3600, Unit: "s; 0 is off", Default: "10", Help: "How often TCP asks whether the server is there.", Set: script.Seconds(&m.keepTime)},
			{Name: "shutdown_on_error", Type: script.BoolParam, Default: "0", Help: "Does not begin where a server cannot be reached.", Set: script.Into(&m.mustBe)},
			{Name: "lazy_connect", Type: script.BoolParam, Default: "0", Help: "Does not try to reach the servers before the first command.", Set: script.Into(&m.lazy)},
			{
				Name: "use_tls", Type: script.BoolParam, Default: "0", Help: "TLS to the servers: it cannot be had.",
				Set: func(v script.Literal) error {
					if v.Int == 0 {
						return nil
					}
					return errors.New("is not supported: TLS to Redis servers is not built in")
				},
			},
			idle("ftsearch_index_name", "text", "The index of documents."),
			idle("ftsearch_json_prefix", "text", "The beginning of the keys of documents."),
			idle("ftsearch_max_results", "", "How many documents a search gave."),
			idle("ftsearch_json_mset_expire", "", "How long documents lived."),
		},
		Check: m.check, Start: m.start, Stop: m.stop,
	}
}

func (m *module) add(v script.Literal) error {
	u, err := parseURL(v.Text)
	if err != nil {
		return fmt.Errorf("is wrong: %w", err)
	}
	m.urls = append(m.urls, u)
	return nil
}

// check has scripts reach the groups.
func (m *module) check(l *script.Loading) {
	m.limits.keepAlive = m.keepTime
	for _, u := range m.urls {
		g := newGroup(u, m.limits)
		m.groups = append(m.groups, g)
		l.Config.AddCache(u.name, g)
	}
}

// start tries to reach the servers, so that the log tells early of one that is not
// there.
func (m *module) start(e *script.Env) error {
	if m.lazy {
		return nil
	}
	for _, g := range m.groups {
		if m.mustBe {
			if err := g.ping(); err != nil {
				m.stop(nil)
				return fmt.Errorf("%s: %w", g.url.name, err)
			}
			continue
		}
		e.Go(func(context.Context) {
			if err := g.ping(); err != nil {
				e.Log.Error("a Redis server is not reached", "group", g.url.name, "error", err)
			}
		})
	}
	return nil
}

func (m *module) stop(any) {
	for _, g := range m.groups {
		_ = g.Close() // what it says of its connections helps nobody now
	}
}
