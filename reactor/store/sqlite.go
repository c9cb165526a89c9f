package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// sqliteConnector opens the file, which must be there: a path that is mistyped
// is not to become an empty database.
type sqliteConnector struct {
	driver.Connector
	path string
}

func openSQLite(u URL, o Options) (*sql.DB, error) {
	mode := "rw"
	if o.Trial {
		mode = trialMode(u.Name)
	}
	c, err := sqlite.NewConnector(sqliteName(u.Name, mode, o.Timeout))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(&sqliteConnector{Connector: c, path: u.Name}), nil
}

// trialMode leaves no file beside the database, as reading one does whose journal is
// written ahead; where there is one already, a program has it open, and it is read.
func trialMode(path string) string {
	if _, err := os.Stat(path + "-wal"); err == nil {
		return "ro"
	}
	return "ro&immutable=1"
}

// sqliteName is what the driver is told. A name in double quotes that is none is
// an error, and a transaction that will write waits at its begin.
func sqliteName(path, mode string, busy time.Duration) string {
	q := fmt.Sprintf("mode=%s&_busy_timeout=%d&_txlock=immediate&_dqs=0", mode, busy.Milliseconds())
	// Clean, as configurations have sqlite:////path: two slashes would begin a host.
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.Clean(path), RawQuery: q}).String()
}

// Connect is driver.Connector.
func (c *sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if _, err := os.Stat(c.path); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no such file; sipreactor db create makes one")
	}
	return c.Connector.Connect(ctx)
}
