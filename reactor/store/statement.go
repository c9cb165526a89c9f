package store

import (
	"fmt"
	"strconv"
	"strings"
)

// Statement is SQL with the values that belong into it, each kept apart from the
// text. The zero value is empty.
type Statement struct {
	parts []part
}

type part struct {
	sql   string // "" for a value
	value Value
}

// SQL appends text of the statement itself. It is not to hold what a message
// brought.
func (s *Statement) SQL(text string) *Statement {
	if text != "" {
		s.parts = append(s.parts, part{sql: text})
	}
	return s
}

// Value appends a value.
func (s *Statement) Value(v Value) *Statement {
	s.parts = append(s.parts, part{value: v})
	return s
}

// Reset empties s for the next one.
func (s *Statement) Reset() { s.parts = s.parts[:0] }

// render gives text and arguments in the form of a dialect.
func (s *Statement) render(d *dialect) (string, []any) {
	var b strings.Builder
	var args []any
	for i := range s.parts {
		p := &s.parts[i]
		if p.sql != "" {
			b.WriteString(p.sql)
			continue
		}
		args = append(args, d.argument(p.value))
		if d.numbered {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(len(args)))
		} else {
			b.WriteByte('?')
		}
	}
	return b.String(), args
}

// builder makes statements of a dialect; it keeps the first error.
type builder struct {
	Statement
	d   *dialect
	err error
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// name appends a table or column. A dot parts a schema from a table.
func (b *builder) name(n string) *builder {
	quoted, err := b.d.quoteName(n)
	if err != nil {
		b.fail(err)
	}
	b.SQL(quoted)
	return b
}

func (b *builder) names(list []string) *builder {
	for i, n := range list {
		if i > 0 {
			b.SQL(", ")
		}
		b.name(n)
	}
	return b
}

func (b *builder) where(conds []Cond) *builder {
	for i, c := range conds {
		if i == 0 {
			b.SQL(" WHERE ")
		} else {
			b.SQL(" AND ")
		}
		if len(c.Any) > 0 {
			b.name(c.Column).SQL(" IN (")
			for j, v := range c.Any {
				if j > 0 {
					b.SQL(", ")
				}
				b.Value(v)
			}
			b.SQL(")")
			continue
		}
		op, err := c.operator()
		if err != nil {
			b.fail(err)
		}
		b.name(c.Column).SQL(" " + op + " ")
		if c.Value.IsNull() {
			b.SQL("NULL")
		} else {
			b.Value(c.Value)
		}
	}
	return b
}

func (b *builder) sets(sets []Set) *builder {
	for i, s := range sets {
		if i > 0 {
			b.SQL(", ")
		}
		b.name(s.Column).SQL(" = ").Value(s.Value)
	}
	return b
}

func (b *builder) selects(q *Select, columns []string) *builder {
	b.SQL("SELECT ")
	if len(columns) == 0 {
		b.SQL("*")
	}
	b.names(columns).SQL(" FROM ")
	b.name(q.Table).where(q.Where)
	if q.Order != "" {
		b.SQL(" ORDER BY ")
		b.name(q.Order)
	}
	if q.Limit > 0 {
		b.SQL(fmt.Sprintf(" LIMIT %d", q.Limit))
	}
	return b
}

// inserts appends an INSERT, or REPLACE, of rows that all have the columns.
func (b *builder) inserts(verb, table string, columns []string, rows [][]Value) *builder {
	b.SQL(verb + " INTO ")
	b.name(table).SQL(" (")
	b.names(columns).SQL(") VALUES ")
	for i, row := range rows {
		if len(row) != len(columns) {
			b.fail(fmt.Errorf("a row of %d values for %d columns", len(row), len(columns)))
			return b
		}
		if i > 0 {
			b.SQL(", ")
		}
		b.SQL("(")
		for j, v := range row {
			if j > 0 {
				b.SQL(", ")
			}
			b.Value(v)
		}
		b.SQL(")")
	}
	return b
}
