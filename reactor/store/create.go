package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// createTimeout bounds what Create and Migrate do with a database.
const createTimeout = 5 * time.Minute

// Create makes tables, all the standard ones if none is named, and their
// versions; the database itself too, where it is missing and the user of the URL may
// make one. A table that is there is an error.
func Create(ctx context.Context, dbURL string, tables ...string) (err error) {
	list, err := chosen(tables)
	if err != nil {
		return err
	}
	db, err := openToMake(ctx, dbURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, l := range list {
		if l.Table == VersionTable && len(tables) > 0 && db.exists(ctx, VersionTable) {
			continue
		}
		if db.exists(ctx, l.Table) {
			return db.wrap(fmt.Errorf("table %s is there already; sipreactor db migrate brings it up to date", l.Table))
		}
		if err := db.make(ctx, &l); err != nil {
			return err
		}
	}
	return nil
}

// chosen gives the layouts of the tables that are named, the table version first.
func chosen(tables []string) ([]Layout, error) {
	all := Layouts()
	if len(tables) == 0 {
		return all, nil
	}
	list := all[:1:1]
	for _, t := range tables {
		if t == VersionTable {
			continue
		}
		i := slices.IndexFunc(all, func(l Layout) bool { return l.Table == t })
		if i < 0 {
			return nil, fmt.Errorf("%q is no standard table", short(t))
		}
		list = append(list, all[i])
	}
	return list, nil
}

// openToMake opens a database with time enough for its tables, and makes it
// where it is missing.
func openToMake(ctx context.Context, dbURL string) (*DB, error) {
	u, err := ParseURL(dbURL)
	if err != nil {
		return nil, err
	}
	if err := makeDatabase(ctx, u); err != nil {
		return nil, fmt.Errorf("%s: %w", u, err)
	}
	return Open(dbURL, Options{Conns: 1, Timeout: createTimeout})
}

// makeDatabase makes what holds the tables if it is not there.
func makeDatabase(ctx context.Context, u URL) error {
	switch u.Scheme {
	case MySQL, Postgres:
	case Text:
		if err := folderOf(u.Name); err != nil {
			return err
		}
		if err := os.Mkdir(u.Name, 0o700); !errors.Is(err, fs.ErrExist) {
			return err
		}
		return u.CheckLocal()
	case SQLite:
		if _, err := os.Stat(u.Name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return makeSQLite(ctx, u.Name)
	}
	b, err := newSQL(u, Options{Conns: 1, Timeout: 10 * time.Second}.filled())
	if err != nil {
		return err
	}
	err = errors.Join(b.pool.PingContext(ctx), b.shutdown())
	var my *mysql.MySQLError
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &my) && my.Number == 1049: // unknown database
	case errors.As(err, &pg) && pg.Code == "3D000": // invalid catalog name
	default:
		return err
	}
	name, err := b.d.quoteName(u.Name)
	if err != nil {
		return err
	}
	above := u
	above.Name = ""
	if u.Scheme == Postgres {
		above.Name = "postgres"
	}
	server, err := newSQL(above, Options{Conns: 1, Timeout: 10 * time.Second}.filled())
	if err != nil {
		return err
	}
	if u.Scheme == MySQL {
		name += " CHARACTER SET utf8mb4"
	}
	_, err = server.pool.ExecContext(ctx, "CREATE DATABASE "+name)
	return errors.Join(err, server.shutdown())
}

// folderOf refuses a path whose folder is missing: it may be mistyped, and whose it is to
// be is not for us to say.
func folderOf(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %s: mkdir -p %[1]s makes it", dir)
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is no folder", dir)
	default:
		return err
	}
}

// makeSQLite makes an empty file that only its owner reads. Its journal is
// written ahead, so that who reads does not wait for who writes.
func makeSQLite(ctx context.Context, path string) error {
	if err := folderOf(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	c, err := sqlite.NewConnector(sqliteName(path, "rwc", 10*time.Second))
	if err != nil {
		return err
	}
	db := sql.OpenDB(c)
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode=WAL")
	return errors.Join(err, db.Close())
}

// exists reports whether there is a table.
func (db *DB) exists(ctx context.Context, table string) bool {
	_, err := db.Columns(ctx, table)
	return err == nil
}

// make makes a table and notes its version.
func (db *DB) make(ctx context.Context, l *Layout) error {
	if t, ok := db.backend.(*textFolder); ok {
		if err := t.create(l); err != nil {
			return db.wrap(err)
		}
	} else {
		for _, text := range db.dialect().creates(l) {
			if _, err := db.Exec(ctx, new(Statement).SQL(text)); err != nil {
				return fmt.Errorf("table %s: %w", l.Table, err)
			}
		}
	}
	if l.Table == VersionTable {
		return nil
	}
	return db.Insert(ctx, VersionTable, Set{"table_name", String(l.Table)}, Set{"table_version", Int(int64(l.Version))})
}

func (db *DB) dialect() *dialect { return dialects[db.url.Scheme] }

// create makes the file of a table.
func (t *textFolder) create(l *Layout) error {
	path, err := t.path(l.Table)
	if err != nil {
		return err
	}
	columns := make([]textColumn, len(l.Columns))
	for i, c := range l.Columns {
		columns[i] = textColumn{name: c.Name, kind: KindText, null: c.Null}
		switch c.Type {
		case AutoColumn, BigAutoColumn:
			columns[i].kind, columns[i].auto = KindInt, true
		case IntColumn, UintColumn, BigKeyColumn:
			columns[i].kind = KindInt
		case FloatColumn:
			columns[i].kind = KindFloat
		case KeyColumn, StringColumn, TextColumn, BlobColumn, DatetimeColumn:
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(textHeader(columns))
	return errors.Join(err, f.Close())
}
