package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// sqlBackend is a database that speaks SQL.
type sqlBackend struct {
	d    *dialect
	pool *sql.DB
	widths
	cut atomic.Uint64 // texts that were longer than their columns
}

// executor is a connection of the pool, or a transaction.
type executor interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// idleTime is how long a connection is kept that nobody uses.
const idleTime = 5 * time.Minute

func newSQL(u URL, o Options) (*sqlBackend, error) {
	var db *sql.DB
	var err error
	switch u.Scheme {
	case MySQL:
		db, err = openMySQL(u, o)
	case Postgres:
		db, err = openPostgres(u, o)
	default:
		db, err = openSQLite(u, o)
	}
	if err != nil {
		return nil, err
	}
	b := &sqlBackend{d: dialects[u.Scheme], pool: db}
	b.setConns(o.Conns)
	db.SetConnMaxIdleTime(idleTime)
	return b, nil
}

func (b *sqlBackend) setConns(n int) {
	b.pool.SetMaxOpenConns(n)
	b.pool.SetMaxIdleConns(n)
}

func (b *sqlBackend) ping(ctx context.Context) error { return b.pool.PingContext(ctx) }

func (b *sqlBackend) shutdown() error { return b.pool.Close() }

func (b *sqlBackend) load(ctx context.Context, q Select, each func(*Row) error) error {
	columns := q.Columns
	var lacking []string // of Optional
	if len(q.Optional) > 0 {
		have, err := b.columns(ctx, q.Table)
		if err != nil {
			return err
		}
		columns = slices.Clone(columns)
		for _, c := range q.Optional {
			if slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, c) }) {
				columns = append(columns, c)
			} else {
				lacking = append(lacking, c)
			}
		}
	}
	w := builder{d: b.d}
	if w.selects(&q, columns); w.err != nil {
		return w.err
	}
	text, args := w.render(b.d)
	rows, err := b.pool.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	if len(lacking) > 0 {
		each = spread(q, columns, each)
	}
	_, err = b.readRows(rows, &q, each)
	return err
}

// spread puts the columns that were read where they are expected, with NULL for
// those that the table lacks.
func spread(q Select, have []string, each func(*Row) error) func(*Row) error {
	all := slices.Concat(q.Columns, q.Optional)
	from := make([]int, len(all))
	for i, c := range all {
		from[i] = slices.Index(have, c)
	}
	wide := Row{table: q.Table, columns: all, values: make([]Value, len(all)), key: q.keyIndex(all)}
	return func(r *Row) error {
		for i, f := range from {
			wide.values[i] = Value{}
			if f >= 0 {
				wide.values[i] = r.values[f]
			}
		}
		wide.n, wide.err = r.n, nil
		if err := each(&wide); err != nil {
			return err
		}
		return wide.err
	}
}

// rowsATurn are read before others have the core: some 0.3 ms.
const rowsATurn = 64

// readRows hands rows on and closes them. It returns the names of the columns.
func (b *sqlBackend) readRows(rows *sql.Rows, q *Select, each func(*Row) error) (columns []string, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	r := Row{table: q.Table, columns: make([]string, len(types)), values: make([]Value, len(types))}
	into, numbers := make([]any, len(types)), make([]bool, len(types))
	for i, t := range types {
		r.columns[i] = t.Name()
		into[i] = &r.values[i]
		numbers[i] = isNumber(t.DatabaseTypeName())
	}
	r.key = q.keyIndex(r.columns)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, is := range numbers {
			if is {
				r.values[i].number()
			}
		}
		r.next()
		if err := each(&r); err != nil {
			return nil, err
		}
		if r.err != nil {
			return nil, r.err
		}
		if r.n%rowsATurn == 0 {
			b.d.turn()
		}
	}
	return r.columns, rows.Err()
}

// isNumber reports whether a column's type, as a driver names it, is one of numbers.
func isNumber(name string) bool {
	name, _, _ = strings.Cut(strings.ToUpper(name), "(")
	for _, w := range strings.Fields(name) {
		switch w {
		case "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "YEAR",
			"INT2", "INT4", "INT8", "FLOAT4", "FLOAT8", "FLOAT", "DOUBLE", "REAL", "NUMERIC", "DECIMAL":
			return true
		}
	}
	return false
}

func (b *sqlBackend) exec(ctx context.Context, s *Statement) (int64, error) {
	text, args := s.render(b.d)
	res, err := b.pool.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (b *sqlBackend) query(ctx context.Context, s *Statement, into *Result) error {
	text, args := s.render(b.d)
	rows, err := b.pool.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	into.Columns, err = b.readRows(rows, &Select{}, into.add)
	return err
}

// change makes changes; those that are refused for a text that is too long once more, with what their columns hold.
func (b *sqlBackend) change(ctx context.Context, changes []Change) (int64, error) {
	fitting, cut := b.fit(changes)
	n, err := b.changeAll(ctx, fitting)
	if tooLong(err) && b.learn(ctx, changes) {
		fitting, cut = b.fit(changes)
		n, err = b.changeAll(ctx, fitting)
	}
	if err == nil {
		b.cut.Add(cut)
	}
	return n, err
}

func (b *sqlBackend) changeAll(ctx context.Context, changes []Change) (int64, error) {
	if len(changes) == 1 && len(changes[0].Rows)*len(changes[0].Columns) <= b.d.maxArgs {
		return b.changeOne(ctx, b.pool, &changes[0])
	}
	tx, err := b.pool.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	var total int64
	for i := range changes {
		n, err := b.changeOne(ctx, tx, &changes[i])
		if err != nil {
			return 0, errors.Join(err, tx.Rollback())
		}
		total += n
	}
	return total, tx.Commit()
}

func (b *sqlBackend) changeOne(ctx context.Context, e executor, c *Change) (int64, error) {
	if c.Verb == VerbUpdate || c.Verb == VerbDelete {
		return b.write(ctx, e, c, nil)
	}
	if len(c.Columns) == 0 {
		return 0, fmt.Errorf("table %s: no column to write", c.Table)
	}
	var total int64
	chunk := max(b.d.maxArgs/len(c.Columns), 1)
	for rows := range slices.Chunk(c.Rows, chunk) {
		n, err := b.write(ctx, e, c, rows)
		if err != nil {
			return total, err
		}
		total += n
		b.d.turn()
	}
	return total, nil
}

func (b *sqlBackend) write(ctx context.Context, e executor, c *Change, rows [][]Value) (int64, error) {
	w := builder{d: b.d}
	switch c.Verb {
	case VerbInsert:
		w.inserts("INSERT", c.Table, c.Columns, rows)
	case VerbReplace:
		if !b.d.replace {
			return 0, fmt.Errorf("REPLACE %w", ErrUnsupported)
		}
		w.inserts("REPLACE", c.Table, c.Columns, rows)
	case VerbUpsert:
		b.d.upsert(&w, c.Table, c.Key, c.Columns, rows)
	case VerbUpdate:
		if len(c.Set) == 0 {
			return 0, fmt.Errorf("table %s: no column to write", c.Table)
		}
		w.SQL("UPDATE ")
		w.name(c.Table).SQL(" SET ")
		w.sets(c.Set).where(c.Where)
	case VerbDelete:
		w.SQL("DELETE FROM ")
		w.name(c.Table).where(c.Where)
	}
	if w.err != nil {
		return 0, w.err
	}
	text, args := w.render(b.d)
	res, err := e.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// columns are read from an empty selection: every kind of database has that.
func (b *sqlBackend) columns(ctx context.Context, table string) ([]string, error) {
	w := builder{d: b.d}
	w.SQL("SELECT * FROM ")
	if w.name(table).SQL(" WHERE 1 = 0"); w.err != nil {
		return nil, w.err
	}
	text, _ := w.render(b.d)
	rows, err := b.pool.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	names, err := rows.Columns()
	return names, errors.Join(err, rows.Close(), rows.Err())
}
