package store

import (
	"context"
	"fmt"
)

// VersionTable is the table that tells the versions of the others.
const VersionTable = "version"

// VersionError is that a table has another layout than is wanted.
type VersionError struct {
	Table  string
	Wanted int
	Found  int // below 0: the table version does not name the table
}

// Error tells which version is there and which is wanted.
func (e *VersionError) Error() string {
	if e.Found < 0 {
		return fmt.Sprintf("table %s is not named in table %s, where its version %d is wanted", e.Table, VersionTable, e.Wanted)
	}
	return fmt.Sprintf("table %s has version %d, and version %d is wanted: sipreactor db migrate brings older ones there", e.Table, e.Found, e.Wanted)
}

// CheckVersion returns a [*VersionError] unless the table version names the
// table with the version that is wanted. A folder of db_text without such a table is
// taken as it is.
func (db *DB) CheckVersion(ctx context.Context, table string, wanted int) error {
	switch b := db.backend.(type) {
	case unasked:
		return nil
	case *textFolder:
		if !b.has(db.opt.VersionTable) {
			return nil
		}
	}
	found, err := db.version(ctx, table)
	if err != nil {
		return err
	}
	if found != wanted {
		return db.wrap(&VersionError{Table: table, Wanted: wanted, Found: found})
	}
	return nil
}

// version returns the version of a table, below 0 if it is not named.
func (db *DB) version(ctx context.Context, table string) (int, error) {
	res, err := db.Select(ctx, Select{Table: db.opt.VersionTable, Columns: []string{"table_version"}, Where: []Cond{Equal("table_name", String(table))}})
	if err != nil {
		return -1, err
	}
	most := -1
	for i := range res.Len() {
		n, _ := res.Row(i)[0].Int()
		most = max(most, int(n))
	}
	return most, nil
}
