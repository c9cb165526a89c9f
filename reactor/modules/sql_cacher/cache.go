package sql_cacher

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// cache is a table as scripts read it.
type cache struct {
	id, table, key string
	columns        []string // nil: all
	cachedb        string
	onDemand       bool
	expire         time.Duration // of a row that was asked for
	url            database.URL

	db    *store.DB
	whole *store.Snapshot[rows] // nil: on demand

	mu   sync.Mutex
	some rows // that were asked for, until they expire
}

// rows are those of a table, by key.
type rows map[string]*row

// row is the values of a row.
type row struct {
	columns []string
	values  []store.Value
	until   time.Time
}

// value gives the value of a column; false if it has none of that name.
func (r *row) value(column string) (store.Value, bool) {
	for i, name := range r.columns {
		if name == column {
			return r.values[i], true
		}
	}
	return store.Value{}, false
}

// Bounds of what is kept of a table.
const (
	maxRows = 4 << 20
	maxSome = 1 << 16
)

// parse reads a cache_table.
func (m *module) parse(v script.Literal) (*cache, error) {
	c := &cache{expire: time.Hour, some: rows{}}
	for part := range strings.SplitSeq(v.Text, m.specBy) {
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case name == "":
			continue
		case !ok:
			return nil, fmt.Errorf("has %s without a value", script.Clip(name))
		}
		var err error
		switch name {
		case "id":
			c.id = value
		case "db_url":
			err = c.url.Set(script.Literal{At: v.At, Text: value})
			if err != nil {
				err = fmt.Errorf("has a db_url that %w", err)
			}
		case "cachedb_url":
			c.cachedb = value
		case "table":
			c.table = value
		case "key":
			c.key = value
		case "columns":
			for column := range strings.SplitSeq(value, m.columnsBy) {
				if column = strings.TrimSpace(column); column != "" {
					c.columns = append(c.columns, column)
				}
			}
		case "on_demand":
			c.onDemand = value == "1"
			if value != "0" && value != "1" {
				err = fmt.Errorf("has on_demand=%s, not 0 or 1", script.Clip(value))
			}
		case "expire":
			n, bad := strconv.ParseUint(value, 10, 31)
			if c.expire = time.Duration(n) * time.Second; bad != nil || n == 0 {
				err = fmt.Errorf("has expire=%s, which is no number of seconds", script.Clip(value))
			}
		default:
			err = fmt.Errorf("has the unknown %s%s", script.Clip(name), script.Choices(name, []string{"id", "db_url", "cachedb_url", "table", "key", "columns", "on_demand", "expire"}))
		}
		if err != nil {
			return nil, err
		}
	}
	if c.id == "" || c.table == "" || c.key == "" {
		return nil, errors.New("has to have id, db_url, table and key")
	}
	for _, column := range append([]string{c.key}, c.columns...) {
		if err := script.CheckColumnName(column); err != nil {
			return nil, fmt.Errorf("has the column %s, which %w", script.Clip(column), err)
		}
	}
	return c, nil
}

func (c *cache) start(e *script.Env) (err error) {
	if c.db, err = c.url.Open(e); err != nil {
		return script.ErrorAt(c.url.At(), err)
	}
	if c.onDemand {
		return nil
	}
	c.whole, err = database.Keep(e, c.db, "sql_cacher-"+fileName(c.id), c.load)
	return script.ErrorAt(c.url.At(), err)
}

// fileName makes an id fit to be part of a file's name.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return '_'
		}
		return r
	}, strings.ToLower(id))
}

// query asks for the rows with a key, or for all.
func (c *cache) query(where ...store.Cond) store.Select {
	q := store.Select{Table: c.table, Where: where}
	if c.columns != nil {
		q.Columns = append([]string{c.key}, c.columns...)
	}
	return q
}

// take gives a row and its key.
func (c *cache) take(r *store.Row) (string, *row, error) {
	one, key := &row{columns: r.Columns()}, ""
	for i := range r.Len() {
		v := r.Value(i)
		if v.Kind() == store.KindText {
			v = store.String(strings.Clone(v.Text()))
		}
		one.values = append(one.values, v)
	}
	v, ok := one.value(c.key)
	if key = v.Text(); !ok {
		return "", nil, fmt.Errorf("table %s has no column %s", c.table, c.key)
	}
	return key, one, nil
}

// load reads the whole table: store.Snapshot's Make.
func (c *cache) load(ctx context.Context, from store.Source) (*rows, error) {
	all := rows{}
	return &all, from.Load(ctx, c.query(), func(r *store.Row) error {
		if len(all) == maxRows {
			return fmt.Errorf("table %s has more than %d rows", c.table, maxRows)
		}
		key, one, err := c.take(r)
		all[key] = one
		return err
	})
}

// known gives a row that is in memory.
func (c *cache) known(key string) *row {
	if c.whole != nil {
		return (*c.whole.Get())[key]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.some[key]
	if r != nil && time.Now().After(r.until) {
		delete(c.some, key)
		r = nil
	}
	return r
}

// fetch asks the database for a row, and keeps it; nil: there is none.
func (c *cache) fetch(ctx context.Context, key string) (found *row, err error) {
	err = c.db.Find(ctx, c.query(store.Equal(c.key, store.String(key))), func(r *store.Row) (err error) {
		_, found, err = c.take(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if found == nil {
		delete(c.some, key)
		return nil, nil
	}
	for other := range c.some { // any of them makes room
		if len(c.some) < maxSome {
			break
		}
		delete(c.some, other)
	}
	found.until = time.Now().Add(c.expire)
	c.some[key] = found
	return found, nil
}
