package store

import (
	"fmt"
	"strings"
	"time"
)

// Row is a row as it is loaded. It is valid until the function that got it
// returns; texts that it gave are valid for ever.
//
// A field that is not what is asked for is noted: Load stops with it when the
// function returns, unless the function took it with Err.
type Row struct {
	table   string
	columns []string
	values  []Value
	key     int    // index of the column that names a row, below 0 none
	n       int    // which row it is, from 1
	file    string // that the row is in, "" a database
	line    int    // of the file, 0 unknown
	err     error
}

// RowError is what is wrong with a row. Column is "" when it is the row as a whole.
type RowError struct {
	Table  string
	Key    string // id=7, or row 3 where there is no key
	File   string // that the row is in, with its line; "" it is in a database
	Line   int
	Column string
	Msg    string
}

// Error returns table, key and column before what is wrong; of a row in a file the file
// and the line as well.
func (e *RowError) Error() string {
	where := e.where()
	if e.Column != "" {
		where += ", column " + e.Column
	}
	return where + ": " + e.Msg
}

func (e *RowError) where() string {
	if e.File != "" {
		return fmt.Sprintf("%s:%d, %s", e.File, e.Line, e.Key)
	}
	return "table " + e.Table + ", " + e.Key
}

// Len returns the number of columns.
func (r *Row) Len() int { return len(r.values) }

// Columns returns the names of the columns. They are not to be changed.
func (r *Row) Columns() []string { return r.columns }

// Value returns a column's value.
func (r *Row) Value(i int) Value { return r.values[i] }

// IsNull reports whether a column is NULL.
func (r *Row) IsNull(i int) bool { return r.values[i].IsNull() }

// Text returns a column's text, "" for NULL.
func (r *Row) Text(i int) string { return r.values[i].Text() }

// Int returns a column's number, 0 for NULL and for a text without any
// character; anything else that is no number is noted.
func (r *Row) Int(i int) int64 {
	v := &r.values[i]
	if v.kind == KindText {
		v.s = strings.TrimSpace(v.s)
		if v.s == "" {
			return 0
		}
	}
	n, ok := v.Int()
	if !ok {
		r.note(i, "%q is no number", short(v.s))
	}
	return n
}

// IntIn returns a column's number, which is to be from low to high.
func (r *Row) IntIn(i int, low, high int64) int64 {
	n := r.Int(i)
	if n < low || n > high {
		r.note(i, "%d is not from %d to %d", n, low, high)
		return low
	}
	return n
}

// Float returns a column's number with its fraction, as Int does.
func (r *Row) Float(i int) float64 {
	v := r.values[i]
	if v.kind == KindText && strings.TrimSpace(v.s) == "" {
		return 0
	}
	f, ok := v.Float()
	if !ok {
		r.note(i, "%q is no number", short(v.s))
	}
	return f
}

// Time returns a datetime column, in local time; the zero time for NULL. A
// number is one of seconds since 1970.
func (r *Row) Time(i int) time.Time {
	v := r.values[i]
	switch {
	case v.IsNull() || v.kind == KindText && v.s == "":
		return time.Time{}
	case v.kind != KindText:
		n, _ := v.Int()
		return time.Unix(n, 0)
	}
	text, _, _ := strings.Cut(strings.Replace(v.s, "T", " ", 1), ".")
	text = strings.TrimSuffix(text, "Z")
	if strings.HasPrefix(text, "0000-00-00") {
		return time.Time{}
	}
	t, err := time.ParseInLocation(timeForm, text, time.Local)
	if err != nil {
		if n, ok := v.Int(); ok {
			return time.Unix(n, 0)
		}
		r.note(i, "%q is no date and time", short(v.s))
	}
	return t
}

// Where names the row's place: its table or the line of its file, and its key.
func (r *Row) Where() string { return r.Fault(-1, "").where() }

// Fault returns the error that something is wrong with a column; i below 0
// means the row as a whole.
func (r *Row) Fault(i int, format string, args ...any) *RowError {
	e := &RowError{Table: r.table, Key: r.Key(), File: r.file, Line: r.line, Msg: fmt.Sprintf(format, args...)}
	if i >= 0 {
		e.Column = r.columns[i]
	}
	return e
}

// Key names the row as an operator finds it: id=7.
func (r *Row) Key() string {
	if r.key < 0 || r.key >= len(r.values) || r.values[r.key].IsNull() {
		return fmt.Sprintf("row %d", r.n)
	}
	return r.columns[r.key] + "=" + short(r.values[r.key].Text())
}

// Err returns the first error that was noted of this row and forgets it: for
// who leaves such a row out with a warning.
func (r *Row) Err() error {
	err := r.err
	r.err = nil
	return err
}

func (r *Row) note(i int, format string, args ...any) {
	if r.err == nil {
		r.err = r.Fault(i, format, args...)
	}
}

// next makes r the row that its values now are.
func (r *Row) next() {
	r.n++
	r.err = nil
}

// short is the beginning of a text for an error.
func short(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
