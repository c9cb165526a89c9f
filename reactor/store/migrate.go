package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Migrate brings standard tables to their layouts of today: a table that is
// missing is made, one of an older version gets the columns and indexes that it
// lacks and texts the room that they want, and its version is noted. No column is
// removed and no row touched. It returns what it did, a line for each step. A table that is
// newer than the one this program knows is an error.
//
// Folders of db_text are made and not changed.
func Migrate(ctx context.Context, dbURL string, tables ...string) (steps []string, err error) {
	list, err := chosen(tables)
	if err != nil {
		return nil, err
	}
	db, err := openToMake(ctx, dbURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, l := range list {
		more, err := db.migrate(ctx, &l)
		steps = append(steps, more...)
		if err != nil {
			return steps, err
		}
	}
	return steps, nil
}

func (db *DB) migrate(ctx context.Context, l *Layout) (steps []string, err error) {
	if !db.exists(ctx, l.Table) {
		if err := db.make(ctx, l); err != nil {
			return nil, err
		}
		return []string{"table " + l.Table + ": made"}, nil
	}
	if l.Table == VersionTable {
		return nil, nil
	}
	found, err := db.version(ctx, l.Table)
	switch {
	case err != nil:
		return nil, err
	case found == l.Version:
		return nil, nil
	case found > l.Version:
		return nil, db.wrap(&VersionError{Table: l.Table, Wanted: l.Version, Found: found})
	case db.url.Scheme == Text:
		return nil, db.wrap(fmt.Errorf("a change of table %s %w", l.Table, ErrUnsupported))
	}
	have, err := db.Columns(ctx, l.Table)
	if err != nil {
		return nil, err
	}
	for i := range l.Columns {
		c := &l.Columns[i]
		missing := !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, c.Name) })
		text, what := db.dialect().alter(l.Table, c, missing)
		if text == "" {
			continue
		}
		if _, err := db.Exec(ctx, new(Statement).SQL(text)); err != nil {
			return steps, fmt.Errorf("table %s, column %s: %w", l.Table, c.Name, err)
		}
		if missing {
			steps = append(steps, fmt.Sprintf("table %s: column %s %s", l.Table, c.Name, what))
		}
	}
	for i := range l.Indexes {
		if slices.ContainsFunc(l.Indexes[i].Columns, func(c string) bool { return !slices.Contains(have, c) }) {
			if _, err := db.Exec(ctx, new(Statement).SQL(db.dialect().index(l.Table, &l.Indexes[i]))); err != nil {
				return steps, fmt.Errorf("table %s, index %s: %w", l.Table, l.Indexes[i].Name, err)
			}
		}
	}
	if found < 0 {
		err = db.Insert(ctx, VersionTable, Set{"table_name", String(l.Table)}, Set{"table_version", Int(int64(l.Version))})
	} else {
		_, err = db.Update(ctx, VersionTable, []Set{{"table_version", Int(int64(l.Version))}}, Equal("table_name", String(l.Table)))
	}
	if err != nil {
		return steps, err
	}
	return append(steps, fmt.Sprintf("table %s: version %d", l.Table, l.Version)), nil
}

// alter gives the statement that adds a column or makes a text of what is one
// now, and its room that of the layout; "" where there is nothing to do.
func (d *dialect) alter(table string, c *Column, missing bool) (text, what string) {
	t := "ALTER TABLE " + d.mustQuote(table)
	switch {
	case missing && c.Type != AutoColumn && c.Type != BigAutoColumn:
		return t + " ADD COLUMN " + d.addable(c), "added"
	case missing || c.Type != StringColumn:
		return "", ""
	case d.scheme == MySQL:
		return t + " MODIFY " + d.column(c), "changed"
	case d.scheme == Postgres:
		return fmt.Sprintf("%s ALTER COLUMN %s TYPE %s", t, d.mustQuote(c.Name), d.typeOf(c)), "changed"
	default:
		return "", "" // SQLite's columns take any text
	}
}

// addable is a column that rows can get which are there: one that is not NULL
// needs a default.
func (d *dialect) addable(c *Column) string {
	with := *c
	if !with.Null && !with.Has && with.Type != TextColumn && with.Type != BlobColumn {
		with.Has = true
		switch with.Type {
		case IntColumn, UintColumn, FloatColumn:
			with.Default = "0"
		case DatetimeColumn:
			with.Default = "1900-01-01 00:00:01"
		default:
		}
	}
	if !with.Has {
		with.Null = true
	}
	return d.column(&with)
}
