package database

import (
	"context"
	"errors"
	"log/slog"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

func checkLocal(l *script.Loading, at script.Pos, u store.URL) bool {
	err := u.CheckLocal()
	if err != nil {
		l.Errorf(at, "db_url %s cannot be used: %w", u, err)
	}
	return err == nil
}

// CheckTables tells what is wrong with tables that will be asked when messages come: the
// versions of their layouts, and the columns. at is where the database is named. Of a
// database that is away it only warns.
func CheckTables(at script.Pos, db *store.DB, log *slog.Logger, tables ...store.Select) error {
	var wrong []error
	for _, q := range tables {
		var err error
		if q.Version != 0 {
			err = db.CheckVersion(context.Background(), q.Table, q.Version)
		}
		if err == nil {
			q.Limit = 1
			_, err = db.Select(context.Background(), q)
		}
		switch {
		case err == nil:
		case store.Unreachable(err):
			log.Warn("the database is away, and whether its table can be used unknown", "table", q.Table, "error", err)
			return nil
		default:
			wrong = append(wrong, script.ErrorAt(at, err))
		}
	}
	return errors.Join(wrong...)
}
