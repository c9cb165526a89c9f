// Package db_mysql is OpenSIPS' module db_mysql: databases of MariaDB and MySQL, by
// package store.
package db_mysql

import (
	"time"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// usualTimeout is three times timeout_interval as it is without the parameter: in OpenSIPS, too, it counts for the connection,
// the question and the answer.
const usualTimeout = 6 * time.Second

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	k := database.New(store.MySQL, "Databases of MariaDB and MySQL: mysql://user:password@host:port/database.", "E_MYSQL_CONNECTION")
	k.Timeout = usualTimeout
	k.Declared.Parameters = []script.Parameter{
		k.Slow(),
		{
			Name: "timeout_interval", Type: script.IntParam, Min: 1, Max: 60, Unit: "s; a statement has three times that", Default: "2",
			Help: "How long a statement may take, the connection included.",
			Set: func(v script.Literal) error {
				k.Timeout = 3 * time.Duration(v.Int) * time.Second
				return nil
			},
		},
		{Name: "max_db_queries", Type: script.IntParam, Help: "How often a statement was tried.", Note: "a statement that found no connection is not run again"},
		{Name: "max_db_retries", Type: script.IntParam, Help: "How often a connection was tried.", Note: "a connection that is gone is tried again by itself"},
		{Name: "ps_max_col_size", Type: script.IntParam, Help: "The room for a column of a prepared statement.", Note: "columns have the room that they need"},
		k.UseTLS(),
	}
	return &k.Declared
}
