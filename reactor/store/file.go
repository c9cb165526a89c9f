package store

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"sipreactor/tlsstate/regular"
)

// FileError is what is wrong with a file that has a table.
type FileError struct {
	Path string
	Line int // 0 it is the file as a whole
	Err  error
}

// Error returns path and line before what is wrong.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err)
}

// Unwrap returns what is wrong.
func (e *FileError) Unwrap() error { return e.Err }

// File is a Source of one table: a file in the form of db_text or of CSV whose
// first line names the columns. It takes the place of a database on a box
// without one.
type File struct {
	Path string
}

// Load is Source. The table's name is only for errors.
func (f File) Load(ctx context.Context, q Select, each func(*Row) error) error {
	t, err := f.read()
	if err != nil {
		return err
	}
	return t.load(ctx, q, each)
}

// byteOrderMark may begin a file in UTF-8.
const byteOrderMark = "\ufeff"

var errEncoding = errors.New("is in UTF-16, and UTF-8 is wanted")

func (f File) read() (*textTable, error) {
	in, err := regular.Open(f.Path)
	if err != nil {
		return nil, &FileError{f.Path, 0, errors.Unwrap(err)} // the path is told anyway
	}
	defer in.Close()
	b := bufio.NewReaderSize(in, 64<<10)
	head, err := b.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &FileError{f.Path, 0, err}
	}
	first, _, _ := strings.Cut(string(head), "\n")
	switch {
	case strings.HasPrefix(first, "\xff\xfe"), strings.HasPrefix(first, "\xfe\xff"):
		return nil, &FileError{f.Path, 1, errEncoding}
	case strings.Contains(first, "("):
		return readText(f.Path, b)
	default:
		return readCSV(f.Path, b)
	}
}

// readCSV reads a table as RFC 4180 has it. An empty field is NULL.
func readCSV(path string, r io.Reader) (*textTable, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.TrimLeadingSpace = true
	names, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, &FileError{path, 1, errEmptyTable}
	}
	if err != nil {
		return nil, csvError(path, err)
	}
	t := textTable{path: path}
	for i, n := range names {
		n = strings.TrimSpace(strings.TrimPrefix(n, byteOrderMark))
		switch {
		case n == "":
			return nil, &FileError{path, 1, fmt.Errorf("column %d has no name", i+1)}
		case t.index(n) >= 0:
			return nil, &FileError{path, 1, fmt.Errorf("column %s is there twice", n)}
		}
		t.columns = append(t.columns, textColumn{name: n, kind: KindText, null: true})
	}
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return &t, nil
		}
		if err != nil {
			return nil, csvError(path, err)
		}
		line, _ := in.FieldPos(0)
		for i, f := range fields {
			v, err := t.columns[i].value(strings.Clone(f))
			if err != nil {
				return nil, &FileError{path, line, err}
			}
			t.values = append(t.values, v)
		}
		t.lines = append(t.lines, int32(line)) //nolint:gosec // lines of a file that fits into memory
	}
}

// csvError gives an error of the CSV reader the place where the record begins that is
// wrong: a quote that is not closed takes in all that is behind it.
func csvError(path string, err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return &FileError{path, 0, err}
	}
	why := p.Err
	switch {
	case errors.Is(p.Err, csv.ErrQuote) && p.Line != p.StartLine:
		why = errors.New("a quote begins here and is not closed")
	case errors.Is(p.Err, csv.ErrFieldCount):
		why = errors.New("the row has more or fewer fields than the first line has names of columns")
	}
	return &FileError{path, p.StartLine, why}
}
