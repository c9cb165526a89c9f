// Package db_text is OpenSIPS' module db_text: tables that are files of a folder, by
// package store. They are read, again when they have changed, and rows are appended
// to them.
package db_text

import (
	"context"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	k := database.New(store.Text, "Tables that are files of a folder: text:///folder.", "")
	k.Declared.Parameters = []script.Parameter{
		{Name: "db_mode", Type: script.IntParam, Help: "Whether tables were kept in memory.", Note: "a file that has changed is always read again"},
		{Name: "buffer_size", Type: script.IntParam, Help: "The room for a line.", Note: "lines have the room that they need, up to a megabyte"},
	}
	k.Declared.Commands = []rpc.Command{
		{
			Name: "dbt_dump", Aliases: []string{"db_text:dump"}, Help: "Does nothing: rows are in their files when they are written.",
			Func: func(context.Context, *rpc.Args) (any, error) { return "OK", nil },
		},
		{
			Name: "dbt_reload", Aliases: []string{"db_text:reload"}, Help: "Does nothing: a file that has changed is read again by itself.",
			Params: []rpc.Param{{Name: "db_name", Optional: true}, {Name: "table_name", Optional: true}},
			Func:   func(context.Context, *rpc.Args) (any, error) { return "OK", nil },
		},
	}
	return &k.Declared
}
