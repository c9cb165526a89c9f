// Package db_sqlite is OpenSIPS' module db_sqlite: databases in a file, by package
// store and SQLite, which is part of the program.
package db_sqlite

import (
	"errors"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	k := database.New(store.SQLite, "Databases in a file: sqlite:///path.", "")
	k.Declared.Parameters = []script.Parameter{
		k.Slow(),
		{Name: "alloc_limit", Type: script.IntParam, Help: "By how many rows the room for a result grew.", Note: "results have the room that they need"},
		{Name: "busy_timeout", Type: script.IntParam, Help: "How long who writes waited for another.", Note: "who writes waits for another for the time of a statement"},
		{
			Name: "load_extension", Type: script.StringParam, Help: "Extensions of SQLite: they cannot be loaded.",
			Set: func(script.Literal) error {
				return errors.New("is not supported: SQLite is part of the program and loads no libraries")
			},
		},
	}
	return &k.Declared
}
