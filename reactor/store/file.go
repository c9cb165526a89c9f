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
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	if err := t.load(ctx, q, each); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return nil
}

func (f File) read() (*textTable, error) {
	in, err := regular.Open(f.Path)
	if err != nil {
		return nil, errors.Unwrap(err) // the path is told anyway
	}
	defer in.Close()
	b := bufio.NewReaderSize(in, 64<<10)
	head, err := b.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	first, _, _ := strings.Cut(string(head), "\n")
	if strings.Contains(first, "(") {
		return readText(b)
	}
	return readCSV(b)
}

// readCSV reads a table as RFC 4180 has it. An empty field is NULL.
func readCSV(r io.Reader) (*textTable, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.TrimLeadingSpace = true
	names, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("the first line names the columns: %w", err)
	}
	var t textTable
	for i, n := range names {
		n = strings.TrimSpace(strings.TrimPrefix(n, "\ufeff"))
		if n == "" {
			return nil, fmt.Errorf("line 1: column %d has no name", i+1)
		}
		t.columns = append(t.columns, textColumn{name: n, kind: KindText, null: true})
	}
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return &t, nil
		}
		if err != nil {
			return nil, err // it names the line
		}
		for i, f := range fields {
			v, err := t.columns[i].value(strings.Clone(f))
			if err != nil {
				return nil, err
			}
			t.values = append(t.values, v)
		}
	}
}
