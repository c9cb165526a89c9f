package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sipreactor/tlsstate/regular"
)

// textFolder is a database of db_text: a folder with a file for each table. It
// is read and appended to. A file that has changed is read again.
type textFolder struct {
	dir string

	mu     sync.Mutex
	tables map[string]*cachedText
}

type cachedText struct {
	*textTable
	changed time.Time
	size    int64
}

func newTextFolder(dir string) *textFolder {
	return &textFolder{dir: dir, tables: make(map[string]*cachedText)}
}

func (t *textFolder) ping(context.Context) error { return nil }

func (t *textFolder) shutdown() error { return nil }

// table returns a table as its file now is. The result is not changed later.
func (t *textFolder) table(name string) (*textTable, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.read(name)
}

func (t *textFolder) path(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") {
		return "", fmt.Errorf("%q is no name of a table", short(name))
	}
	return filepath.Join(t.dir, name), nil
}

func (t *textFolder) read(name string) (*textTable, error) {
	path, err := t.path(name)
	if err != nil {
		return nil, err
	}
	f, err := regular.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no table %s: %s is not there", name, path)
		}
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if c := t.tables[name]; c != nil && c.size == info.Size() && c.changed.Equal(info.ModTime()) {
		return c.textTable, nil
	}
	table, err := readText(path, f)
	if err != nil {
		return nil, err
	}
	t.tables[name] = &cachedText{textTable: table, changed: info.ModTime(), size: info.Size()}
	return table, nil
}

func (t *textFolder) load(ctx context.Context, q Select, each func(*Row) error) error {
	table, err := t.table(q.Table)
	if err != nil {
		return err
	}
	return table.load(ctx, q, each)
}

func (t *textFolder) columns(_ context.Context, name string) ([]string, error) {
	table, err := t.table(name)
	if err != nil {
		return nil, err
	}
	return table.names(), nil
}

// load does a Select.
func (t *textTable) load(ctx context.Context, q Select, each func(*Row) error) error {
	columns := slices.Concat(q.Columns, q.Optional)
	if len(q.Columns) == 0 {
		columns = slices.Concat(t.names(), q.Optional)
	}
	from := make([]int, len(columns))
	for i, c := range columns {
		from[i] = t.index(c)
		if from[i] < 0 && !slices.Contains(q.Optional, c) {
			return t.lacks(q.Table, c)
		}
	}
	found, err := t.find(&q)
	if err != nil {
		return err
	}
	r := Row{table: q.Table, columns: columns, values: make([]Value, len(columns)), key: q.keyIndex(columns), file: t.path}
	for n, i := range found {
		if q.Limit > 0 && n == q.Limit {
			return nil
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row := t.row(i)
		for j, f := range from {
			r.values[j] = Value{}
			if f >= 0 {
				r.values[j] = row[f]
			}
		}
		r.next()
		if t.lines != nil {
			r.line = int(t.lines[i])
		}
		if err := each(&r); err != nil {
			return err
		}
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// holds reports whether a value meets a condition.
func (c *Cond) holds(v Value, op string) bool {
	if len(c.Any) == 0 {
		return holds(v, op, c.Value)
	}
	return slices.ContainsFunc(c.Any, func(w Value) bool { return holds(v, "=", w) })
}

// holds compares as SQL does: nothing is equal to NULL, nor unequal.
func holds(v Value, op string, w Value) bool {
	switch op {
	case "IS":
		return v.IsNull() && w.IsNull() || !w.IsNull() && !v.IsNull() && compareValues(v, w) == 0
	case "IS NOT":
		return !holds(v, "IS", w)
	}
	if v.IsNull() {
		return false
	}
	c := compareValues(v, w)
	switch op {
	case "=":
		return c == 0
	case "!=", "<>":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	default:
		return c >= 0
	}
}

// compareValues orders values: NULL first, numbers by size where v is one.
func compareValues(v, w Value) int {
	if v.IsNull() || w.IsNull() {
		return cmp.Compare(v.kind, w.kind)
	}
	if v.kind != KindText {
		a, _ := v.Float()
		if b, ok := w.Float(); ok {
			return cmp.Compare(a, b)
		}
	}
	return cmp.Compare(v.Text(), w.Text())
}

func (t *textFolder) query(context.Context, *Statement, *Result) error {
	return fmt.Errorf("SQL %w: db_text has tables and no language", ErrUnsupported)
}

func (t *textFolder) exec(ctx context.Context, s *Statement) (int64, error) {
	return 0, t.query(ctx, s, nil)
}

// change appends rows.
func (t *textFolder) change(_ context.Context, changes []Change) (int64, error) {
	for i := range changes {
		if changes[i].Verb != VerbInsert {
			return 0, fmt.Errorf("a change of what is there %w: db_text is read and appended to", ErrUnsupported)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var total int64
	for i := range changes {
		n, err := t.insert(&changes[i])
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func (t *textFolder) insert(c *Change) (int64, error) {
	table, err := t.read(c.Table)
	if err != nil {
		return 0, err
	}
	var text []byte
	row := make([]Value, len(table.columns))
	from := make([]int, len(table.columns))
	for j := range from {
		from[j] = slices.IndexFunc(c.Columns, func(n string) bool { return strings.EqualFold(n, table.columns[j].name) })
	}
	for _, n := range c.Columns {
		if table.index(n) < 0 {
			return 0, table.lacks(c.Table, n)
		}
	}
	for i, values := range c.Rows {
		if len(values) != len(c.Columns) {
			return 0, fmt.Errorf("a row of %d values for %d columns", len(values), len(c.Columns))
		}
		for j := range table.columns {
			col := &table.columns[j]
			row[j] = Value{}
			if from[j] >= 0 {
				row[j] = values[from[j]]
			}
			switch {
			case col.auto && row[j].IsNull():
				row[j] = Int(table.most(j) + int64(i) + 1)
			case !row[j].IsNull():
				if _, err := col.value(row[j].Text()); err != nil {
					return 0, fmt.Errorf("table %s, column %s: %w", c.Table, col.name, err)
				}
			}
		}
		text = appendTextRow(text, row)
	}
	path, err := t.path(c.Table)
	if err != nil {
		return 0, err
	}
	return int64(len(c.Rows)), appendFile(path, text)
}

// appendFile writes to the end in one piece, behind a line end.
func appendFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var last [1]byte
	if n := info.Size(); n > 0 {
		if _, err := f.ReadAt(last[:], n-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			text = append([]byte{'\n'}, text...)
		}
	}
	_, err = f.Write(text)
	return err
}

// has reports whether there is a table's file.
func (t *textFolder) has(name string) bool {
	path, err := t.path(name)
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}
