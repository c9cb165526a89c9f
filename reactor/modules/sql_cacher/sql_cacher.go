// Package sql_cacher is OpenSIPS' module sql_cacher: tables of databases whose values scripts
// read from memory, $sql_cached_value(id:column:key). A table is read whole, and again from time
// to time, or each row when it is first asked for.
package sql_cacher

import (
	"context"
	"errors"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// module is the module in one configuration.
type module struct {
	specs                      []script.Literal // cache_table
	specBy, columnsBy, valueBy string           // delimiters
	expire, early              time.Duration    // of whole tables
	caches                     []*cache
	lookups, queries           script.Count
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{specBy: "\n", columnsBy: " ", valueBy: ":", expire: 24 * time.Hour, early: time.Minute}
	one := func(to *string) func(v script.Literal) error {
		return func(v script.Literal) error {
			if len(v.Text) != 1 {
				return errors.New("is a single character")
			}
			*to = v.Text
			return nil
		}
	}
	text, number := script.StringParam, script.IntParam
	return &script.Module{
		Name: "sql_cacher", Help: "Keeps tables of databases in memory for scripts.", Instance: m,
		Parameters: []script.Parameter{
			{Name: "cache_table", Type: text, Help: "A table: id, db_url, cachedb_url, table, key, columns, on_demand and expire, a line each: name=value.", Set: func(v script.Literal) error {
				m.specs = append(m.specs, v)
				return nil
			}},
			{Name: "spec_delimiter", Type: text, Default: "a line end", Help: "What stands between the settings of cache_table.", Set: one(&m.specBy)},
			{Name: "columns_delimiter", Type: text, Default: "a space", Help: "What stands between the names of columns.", Set: one(&m.columnsBy)},
			{Name: "pvar_delimiter", Type: text, Default: m.valueBy, Help: "What stands between id, column and key of $sql_cached_value().", Set: one(&m.valueBy)},
			{Name: "sql_fetch_nr_rows", Type: number, Help: "How many rows are fetched at once.", Note: "rows are taken as they come"},
			{Name: "full_caching_expire", Type: number, Min: 1, Max: 366 * 86400, Unit: "seconds", Default: "86400", Help: "How old a whole table may be.", Set: script.Seconds(&m.expire)},
			{Name: "reload_interval", Type: number, Min: 0, Max: 366 * 86400, Unit: "seconds", Default: "60", Help: "How long before that it is read again. While its database is away it serves on.", Set: script.Seconds(&m.early)},
		},
		Variables: []script.Variable{{Name: "sql_cached_value", Inner: script.ConstInner, Free: true, Get: m.variable,
			Help: "A value of a table: $sql_cached_value(id:column:key); NULL if there is none. The key may be a variable."}},
		Commands: []rpc.Command{{
			Name: "sql_cacher_reload", Aliases: []string{"sql_cacher:reload"}, Help: "Reads a whole table again, or the row with a key of one on demand.",
			Params: []rpc.Param{{Name: "id"}, {Name: "key", Optional: true}}, Func: m.reload,
		}},
		Statistics: []script.Statistic{
			{Name: "lookups", Help: "Values that scripts have asked for.", Count: &m.lookups},
			{Name: "queries", Help: "Rows that a database was asked for on demand.", Count: &m.queries},
		},
		Check: m.check, Start: m.start, Trial: true, Stop: func(any) { m.stop() },
	}
}

func (m *module) check(l *script.Loading) {
	if m.early >= m.expire {
		l.Errorf(l.Place("reload_interval"), "reload_interval, %v, has to be less than full_caching_expire, %v", m.early, m.expire)
	}
	for _, v := range m.specs {
		c, err := m.parse(v)
		switch {
		case err != nil:
			l.Errorf(v.At, "cache_table %v", err)
			continue
		case m.find(c.id) != nil:
			l.Errorf(v.At, "cache_table has the id %s a second time", script.Clip(c.id))
			continue
		case c.cachedb != "":
			l.Notef(v.At, "cachedb_url of %s: the values are kept in memory, in no other store", script.Clip(c.id))
		}
		c.url.Check(l)
		m.caches = append(m.caches, c)
	}
}

func (m *module) find(id string) *cache {
	for _, c := range m.caches {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (m *module) start(e *script.Env) error {
	for _, c := range m.caches {
		if err := c.start(e); err != nil {
			m.stop()
			return err
		}
		if c.whole != nil {
			e.Every(m.expire-m.early, func(ctx context.Context) {
				if err := c.whole.Reload(ctx); err != nil {
					e.Log.Warn("sql_cacher: a table is not read again", "id", c.id, "why", err)
				}
			})
		}
	}
	return nil
}

func (m *module) stop() {
	for _, c := range m.caches {
		if c.db != nil {
			_ = c.db.Close()
			c.db = nil
		}
	}
}

func (m *module) reload(ctx context.Context, a *rpc.Args) (any, error) {
	c := m.find(a.Text("id"))
	switch {
	case c == nil:
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Cache id not found"}
	case c.onDemand && !a.Has("key"):
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "key is missing: the table is cached on demand"}
	}
	var err error
	if c.onDemand {
		_, err = c.fetch(ctx, a.Text("key"))
	} else {
		err = c.whole.Reload(ctx)
	}
	if err != nil {
		return nil, rpc.Failed("Failed to reload", err.Error())
	}
	return "OK", nil
}
