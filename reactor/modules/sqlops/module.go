// Package sqlops is OpenSIPS' module sqlops: SQL of the script, rows by columns and
// filters, and the preferences of users as AVPs.
//
// The message waits for the database, and nothing else: no loop and no shard. A
// variable inside the quotes of a query is a value, escaped by the rules of the
// database that gets it; outside of them it passes as a number only.
package sqlops

import (
	"sipreactor/reactor/modules/internal/sqlscript"
	"sipreactor/reactor/script"
)

type module struct {
	db          sqlscript.Databases
	preferences *sqlscript.Preferences
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{}
	m.preferences = sqlscript.NewPreferences(&m.db, "usr_preferences")
	return &script.Module{
		Name: "sqlops", Help: "SQL of the script, rows by columns and filters, and preferences of users as AVPs.", Instance: m,
		Parameters: append(append([]script.Parameter{m.db.Parameter()}, m.preferences.Parameters("usr_table")...),
			script.Parameter{Name: "ps_id_max_buf_len", Type: script.IntParam, Help: "The room for the names of prepared statements.", Note: "statements are not prepared"},
			script.Parameter{Name: "bigint_to_str", Type: script.BoolParam, Help: "Whether large numbers become texts.", Note: "numbers have 64 bits"},
		),
		Functions: m.functions(),
		Check:     m.db.Check,
		Start:     m.db.Start, Trial: true,
		Stop: func(any) { m.db.Stop() },
	}
}
