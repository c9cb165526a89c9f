// Package db_postgres is OpenSIPS' module db_postgres: databases of PostgreSQL, by
// package store.
package db_postgres

import (
	"time"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	k := database.New(store.Postgres, "Databases of PostgreSQL: postgres://user:password@host:port/database.", "")
	k.Timeout = 5 * time.Second
	k.Declared.Parameters = []script.Parameter{
		k.Slow(),
		{
			Name: "timeout", Type: script.IntParam, Min: 1, Max: 60, Unit: "s", Default: "5",
			Help: "How long a statement may take, the connection included.", Set: script.Seconds(&k.Timeout),
		},
		{Name: "max_db_queries", Type: script.IntParam, Help: "How often a statement was tried.", Note: "a statement that found no connection is not run again"},
		k.UseTLS(),
	}
	return &k.Declared
}
