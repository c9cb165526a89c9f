package store

import (
	"fmt"
	"slices"
	"strings"
)

func (t *textTable) names() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

// lacks is that there is no such column.
func (t *textTable) lacks(table, column string) error {
	err := fmt.Errorf("table %s has no column %s; there are %s", table, column, short(strings.Join(t.names(), " ")))
	if t.path == "" {
		return err
	}
	return &FileError{t.path, 1, err}
}

// index is where a column stands, below 0 for none.
func (t *textTable) index(name string) int {
	return slices.IndexFunc(t.columns, func(c textColumn) bool { return strings.EqualFold(c.name, name) })
}

// most is the largest number of a column, 0 if there is none.
func (t *textTable) most(column int) int64 {
	var most int64
	for i := range t.len() {
		n, _ := t.row(i)[column].Int()
		most = max(most, n)
	}
	return most
}

// find gives the rows that the conditions hold for, in order.
func (t *textTable) find(q *Select) ([]int, error) {
	at, ops := make([]int, len(q.Where)), make([]string, len(q.Where))
	for i, c := range q.Where {
		if at[i] = t.index(c.Column); at[i] < 0 {
			return nil, t.lacks(q.Table, c.Column)
		}
		op, err := c.operator()
		if err != nil {
			return nil, err
		}
		if op == "LIKE" || op == "NOT LIKE" || op == "REGEXP" || op == "~" {
			return nil, fmt.Errorf("%s %w", op, ErrUnsupported)
		}
		ops[i] = op
	}
	var found []int
rows:
	for i := range t.len() {
		row := t.row(i)
		for j := range q.Where {
			if !q.Where[j].holds(row[at[j]], ops[j]) {
				continue rows
			}
		}
		found = append(found, i)
	}
	if q.Order != "" {
		o := t.index(q.Order)
		if o < 0 {
			return nil, t.lacks(q.Table, q.Order)
		}
		slices.SortStableFunc(found, func(a, b int) int { return compareValues(t.row(a)[o], t.row(b)[o]) })
	}
	return found, nil
}
