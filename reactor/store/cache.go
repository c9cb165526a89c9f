package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"sipreactor/tlsstate/regular"
)

// The file of a Snapshot's last good state has, for each table that was loaded,
// a line that tells what was asked for, one with the columns and the rows, in
// the form of db_text with a letter before each value for its kind. The last line counts
// the rows: a file without it was not finished.
const cacheMagic = "sipreactor state 1 "

// fingerprint tells two Selects apart.
func (q *Select) fingerprint() string {
	return fmt.Sprintf("%q %q %q %q %q %d", q.Table, q.Columns, q.Optional, fmt.Sprint(q.Where), q.Order, q.Limit)
}

// cacheWriter is a source that writes down what it loads.
type cacheWriter struct {
	from Source
	path string // "" writes nothing
	file *os.File
	out  *bufio.Writer
	rows int
	line []byte
	cell []Value
	err  error // of the writing
}

func newCacheWriter(from Source, path string) *cacheWriter {
	w := &cacheWriter{from: from, path: path}
	if path == "" {
		return w
	}
	w.file, w.err = os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if w.err != nil {
		return w
	}
	w.err = w.file.Chmod(0o600)
	w.out = bufio.NewWriterSize(w.file, 256<<10)
	w.write(cacheMagic + time.Now().UTC().Format(time.RFC3339) + "\n")
	return w
}

func (w *cacheWriter) write(text string) {
	if w.out != nil && w.err == nil {
		_, w.err = w.out.WriteString(text)
	}
}

// Load is Source.
func (w *cacheWriter) Load(ctx context.Context, q Select, each func(*Row) error) error {
	if w.out == nil {
		return w.from.Load(ctx, q, each)
	}
	w.write("@" + q.fingerprint() + "\n")
	head := false
	return w.from.Load(ctx, q, func(r *Row) error {
		if !head {
			head = true
			w.write(strings.Join(r.columns, ":") + "\n")
		}
		w.row(r)
		return each(r)
	})
}

func (w *cacheWriter) row(r *Row) {
	if w.err != nil {
		return
	}
	w.cell = w.cell[:0]
	for _, v := range r.values {
		w.cell = append(w.cell, String(kindLetters[v.kind:v.kind+1]+v.Text()))
	}
	w.line = appendTextRow(w.line[:0], w.cell)
	w.rows++
	_, w.err = w.out.Write(w.line)
}

// kindLetters are those of the kinds of values, in order.
const kindLetters = "nifsb"

// abandon leaves the file as it was.
func (w *cacheWriter) abandon() {
	if w.file != nil {
		w.file.Close()
		os.Remove(w.path + ".new")
	}
}

// finish puts what was written in the file's place.
func (w *cacheWriter) finish() error {
	if w.path == "" {
		return nil
	}
	if w.file == nil {
		return w.err
	}
	w.write(fmt.Sprintf("=%d\n", w.rows))
	if w.err == nil {
		w.err = w.out.Flush()
	}
	if w.err == nil {
		w.err = w.file.Sync()
	}
	if w.err != nil {
		w.abandon()
		return w.err
	}
	return errors.Join(w.file.Close(), os.Rename(w.path+".new", w.path))
}

// cache is a source that has what a cacheWriter wrote.
type cache struct {
	path   string
	when   time.Time
	tables map[string]*textTable
}

// readCache reads the file of a last good state, which must be its owner's alone.
func readCache(path string) (*cache, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s: others can write to it (mode %04o)", path, info.Mode().Perm())
	}
	c := &cache{path: path, tables: make(map[string]*textTable)}
	if err := c.read(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *cache) read(f *os.File) error {
	in := bufio.NewScanner(f)
	in.Buffer(make([]byte, 0, 64<<10), 16*maxTextLine)
	if !in.Scan() || !strings.HasPrefix(in.Text(), cacheMagic) {
		return errors.New("is no state of this program")
	}
	c.when, _ = time.Parse(time.RFC3339, strings.TrimPrefix(in.Text(), cacheMagic))
	var t *textTable
	var fields []Value
	rows := 0
	for in.Scan() {
		line := in.Text()
		switch {
		case strings.HasPrefix(line, "="):
			if n, err := strconv.Atoi(line[1:]); err != nil || n != rows {
				return errors.New("is cut short")
			}
			return nil
		case strings.HasPrefix(line, "@"):
			t = &textTable{}
			c.tables[line[1:]] = t
		case t == nil:
			return errors.New("has rows of no table")
		case t.columns == nil:
			for _, n := range strings.Split(line, ":") {
				t.columns = append(t.columns, textColumn{name: n, kind: KindText})
			}
			fields = make([]Value, len(t.columns))
		default:
			if err := splitTextLine(line, t.columns, fields); err != nil {
				return err
			}
			rows++
			for _, f := range fields {
				v, err := cached(f.s)
				if err != nil {
					return err
				}
				t.values = append(t.values, v)
			}
		}
	}
	return errors.Join(errors.New("is cut short"), in.Err())
}

// cached reads a value with its letter.
func cached(text string) (Value, error) {
	if text == "" {
		return Null, errors.New("a value has no kind")
	}
	v := String(text[1:])
	switch text[0] {
	case 'n':
		return Null, nil
	case 'i', 'f':
		v.number()
	}
	return v, nil
}

// Load is Source.
func (c *cache) Load(ctx context.Context, q Select, each func(*Row) error) error {
	t := c.tables[q.fingerprint()]
	if t == nil {
		return fmt.Errorf("%s: has no table %s as it is asked for", c.path, q.Table)
	}
	if t.columns == nil {
		return nil
	}
	all := q
	all.Where, all.Order, all.Limit = nil, "", 0 // that was done
	all.Columns, all.Optional = nil, nil
	return t.load(ctx, all, each)
}
