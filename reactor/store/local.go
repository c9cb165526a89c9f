package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"sipreactor/tlsstate/regular"
)

// CheckLocal tells what is wrong with the file of SQLite or the folder of db_text that a
// URL names. Of a database on a network it tells nothing.
func (u URL) CheckLocal() error {
	switch u.Scheme {
	case SQLite:
		return checkSQLite(u.Name)
	case Text:
		return checkFolder(u.Name)
	default:
		return nil
	}
}

// sqliteMagic begins a file of SQLite; an empty file is a database without tables.
const sqliteMagic = "SQLite format 3\x00"

func checkSQLite(path string) error {
	f, err := regular.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w; sipreactor db create sqlite://%s makes one", err, path)
		}
		return err
	}
	defer f.Close()
	var head [len(sqliteMagic)]byte
	n, err := io.ReadFull(f, head[:])
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case string(head[:n]) != sqliteMagic:
		return fmt.Errorf("%s: is no database of SQLite", path)
	}
	return nil
}

func checkFolder(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; sipreactor db create text://%s makes the tables", err, path)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: is no folder", path)
	}
	_, err = os.ReadDir(path)
	return err
}

// unasked is a database on a network in a trial.
type unasked struct{}

func (unasked) load(context.Context, Select, func(*Row) error) error { return nil }
func (unasked) query(context.Context, *Statement, *Result) error     { return nil }
func (unasked) exec(context.Context, *Statement) (int64, error)      { return 0, nil }
func (unasked) change(context.Context, []Change) (int64, error)      { return 0, nil }
func (unasked) columns(context.Context, string) ([]string, error)    { return nil, nil }
func (unasked) ping(context.Context) error                           { return nil }
func (unasked) shutdown() error                                      { return nil }
