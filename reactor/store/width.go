package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// widths are how many characters the columns of tables hold, by the tables' names. They are asked for when a database
// has refused a text that may be cut: most never do, as their texts are short or they cut them.
type widths struct {
	mu    sync.Mutex
	known map[string]tableWidths
}

type tableWidths struct {
	asked   time.Time
	columns map[string]int // by the name in small letters; one that is missing has no bound
}

// widthsLast is how long widths are not asked for again.
const widthsLast = time.Minute

func (w *widths) of(table string) tableWidths {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known[table]
}

// fit cuts the texts of changes that are longer than their columns and may be cut. It returns how many.
func (w *widths) fit(changes []Change) (fitting []Change, cut uint64) {
	for i := range changes {
		known := w.of(changes[i].Table)
		if len(known.columns) == 0 {
			continue
		}
		rows, n := fitRows(&changes[i], known.columns)
		if n == 0 {
			continue
		}
		if cut == 0 {
			changes = slices.Clone(changes)
		}
		changes[i].Rows = rows
		cut += n
	}
	return changes, cut
}

func fitRows(c *Change, width map[string]int) (rows [][]Value, cut uint64) {
	rows = c.Rows
	for i, name := range c.Columns {
		most, bound := width[strings.ToLower(name)]
		if !bound {
			continue
		}
		for j, row := range rows {
			if i >= len(row) || !row[i].cut || utf8.RuneCountInString(row[i].s) <= most {
				continue
			}
			if cut == 0 {
				rows = slices.Clone(rows)
			}
			cut++
			rows[j] = slices.Clone(row)
			rows[j][i].s = firstRunes(row[i].s, most)
		}
	}
	return rows, cut
}

// firstRunes returns the first n characters of a text.
func firstRunes(s string, n int) string {
	for at := range s {
		if n == 0 {
			return s[:at]
		}
		n--
	}
	return s
}

// learn asks for the widths of the columns of tables that changes have texts for which may be cut. It reports whether
// it learnt any.
func (b *sqlBackend) learn(ctx context.Context, changes []Change) (learnt bool) {
	for i := range changes {
		table := changes[i].Table
		if !changes[i].mayCut() || time.Since(b.widths.of(table).asked) < widthsLast {
			continue
		}
		columns, err := b.askWidths(ctx, table)
		if err != nil {
			return learnt
		}
		b.widths.mu.Lock()
		if b.widths.known == nil {
			b.widths.known = make(map[string]tableWidths)
		}
		b.widths.known[table] = tableWidths{asked: time.Now(), columns: columns}
		b.widths.mu.Unlock()
		learnt = learnt || len(columns) > 0
	}
	return learnt
}

func (c *Change) mayCut() bool {
	return slices.ContainsFunc(c.Rows, func(row []Value) bool {
		return slices.ContainsFunc(row, func(v Value) bool { return v.cut })
	})
}

func (b *sqlBackend) askWidths(ctx context.Context, table string) (map[string]int, error) {
	schema, name, has := strings.Cut(table, ".")
	if !has {
		schema, name = "", table
	}
	s := new(Statement).SQL("SELECT column_name, character_maximum_length FROM information_schema.columns WHERE data_type IN ('varchar', 'char', 'character varying', 'character') AND table_name = ")
	if b.d.scheme == Postgres {
		schema, name = strings.ToLower(schema), strings.ToLower(name)
	}
	s.Value(String(name)).SQL(" AND table_schema = ")
	switch {
	case has:
		s.Value(String(schema))
	case b.d.scheme == Postgres:
		s.SQL("ANY (current_schemas(false))")
	default:
		s.SQL("DATABASE()")
	}
	var res Result
	if err := b.query(ctx, s, &res); err != nil {
		return nil, err
	}
	columns := make(map[string]int)
	for i := range res.Len() {
		row := res.Row(i)
		if n, ok := row[1].Int(); ok && n > 0 {
			columns[strings.ToLower(row[0].Text())] = int(n)
		}
	}
	return columns, nil
}
