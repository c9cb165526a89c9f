package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Source is what tables are loaded from: a [DB], a folder of db_text, a file.
type Source interface {
	// Load calls each for every row. The first error ends it and is returned.
	Load(ctx context.Context, q Select, each func(*Row) error) error
}

// Select says what is to be read of a table.
type Select struct {
	Table string
	// Columns are those that are read, in this order; none means all.
	Columns []string
	// Optional are columns behind those, for which a table that has them not
	// gives NULL.
	Optional []string
	// Key is the column that names a row in errors; "" is id if it is read, or
	// else the number of the row.
	Key   string
	Where []Cond
	Order string // column, ascending; "" as it comes
	Limit int    // rows at most; 0 all
	// Version is that of the layout which the table is to have, by the table
	// version of a database; 0 is not looked at. Files have no versions.
	Version int
}

// Cond is a condition on a column; several must all hold.
type Cond struct {
	Column string
	Op     string // "" is =
	Value  Value
	// Any are values of which the column has one; Op and Value do not count then.
	Any []Value
}

// Equal returns the condition that a column has a value. NULL equals NULL.
func Equal(column string, v Value) Cond { return Cond{Column: column, Value: v} }

// operators are those of conditions.
var operators = []string{"=", "!=", "<>", "<", ">", "<=", ">=", "LIKE", "NOT LIKE", "REGEXP", "~", "IS", "IS NOT"}

// operator returns the condition's operator as SQL writes it.
func (c Cond) operator() (string, error) {
	op := strings.ToUpper(strings.TrimSpace(c.Op))
	switch {
	case op == "":
		op = "="
	case !slices.Contains(operators, op):
		return "", fmt.Errorf("%q is no operator; there are %s", short(c.Op), strings.Join(operators, " "))
	}
	if !c.Value.IsNull() {
		return op, nil
	}
	switch op {
	case "=", "IS":
		return "IS", nil
	case "!=", "<>", "IS NOT":
		return "IS NOT", nil
	default:
		return "", fmt.Errorf("NULL cannot be compared by %s", op)
	}
}

// keyIndex is where the column stands that names rows, below 0 for none.
func (q *Select) keyIndex(columns []string) int {
	name := q.Key
	if name == "" {
		name = "id"
	}
	return slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, name) })
}

// Set is a column that is written.
type Set struct {
	Column string
	Value  Value
}

// Result is what a statement gave, whole. The zero value is empty.
type Result struct {
	Columns []string
	values  []Value
}

// Len returns the number of rows.
func (r *Result) Len() int {
	if len(r.Columns) == 0 {
		return 0
	}
	return len(r.values) / len(r.Columns)
}

// Row returns the values of a row, which are not to be changed.
func (r *Result) Row(i int) []Value {
	n := len(r.Columns)
	return r.values[i*n : (i+1)*n]
}

// ErrTooLarge is that a statement gave more rows than are kept.
var ErrTooLarge = fmt.Errorf("the result has more than %d values", maxResult)

// maxResult bounds the values of a Result.
const maxResult = 1_000_000

func (r *Result) add(row *Row) error {
	if r.Columns == nil {
		r.Columns = slices.Clone(row.columns)
	}
	if len(r.values)+len(row.values) > maxResult {
		return ErrTooLarge
	}
	r.values = append(r.values, row.values...)
	return nil
}
