package store

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPostgres names everything, so that no PGHOST or ~/.pgpass of who runs the
// program is mixed in.
func openPostgres(u URL, o Options) (*sql.DB, error) {
	port := u.Port
	if port == 0 {
		port = 5432
	}
	mode := u.Params.Get("sslmode")
	if mode == "" {
		mode = "prefer"
	}
	c, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%d user=%s password=%s dbname=%s sslmode=%s sslrootcert=%s connect_timeout=%d",
		word(u.Host), port, word(u.User), word(u.Password), word(u.Name), word(mode), word(u.Params.Get("sslrootcert")),
		max(1, int(o.Timeout.Seconds()))))
	if err != nil {
		return nil, fmt.Errorf("sslmode or sslrootcert is wrong: there are disable, allow, prefer, require, verify-ca, verify-full")
	}
	// The driver puts values into the statement by the server's own rules: one round
	// trip, and a literal takes the type of its column.
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if c.RuntimeParams == nil {
		c.RuntimeParams = make(map[string]string)
	}
	c.RuntimeParams["standard_conforming_strings"] = "on"
	c.RuntimeParams["client_encoding"] = "UTF8"
	return stdlib.OpenDB(*c), nil
}

// word quotes a value of a connection string.
func word(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
