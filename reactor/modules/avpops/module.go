// Package avpops is OpenSIPS' module avpops, as it was in 3.4: preferences of users as
// AVPs, SQL of the script, and what can be done to AVPs. Since then the latter is the
// language's and the former the module sqlops'.
package avpops

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
	m.preferences = sqlscript.NewPreferences(&m.db, "")
	return &script.Module{
		Name: "avpops", Help: "Preferences of users as AVPs, SQL of the script, and what can be done to AVPs.", Instance: m,
		Parameters: append(append([]script.Parameter{m.db.Parameter()}, m.preferences.Parameters("avp_table")...),
			script.Parameter{Name: "buf_size", Type: script.IntParam, Help: "The room for a value.", Note: "values have the room that they need"},
		),
		Functions: append(m.database(), manipulations()...),
		Check:     m.db.Check,
		Start:     m.db.Start, Trial: true,
		Stop: func(any) { m.db.Stop() },
	}
}

// database are the functions that ask one.
func (m *module) database() []script.Function {
	return []script.Function{
		{
			Name: "avp_db_load", Usage: `avp_db_load("source", "name"[, db_id][, "prefix"])`, Async: true,
			Help: "Loads preferences as AVPs. The source is a variable or a text, with /uuid, /uri, /username or /domain behind it; the name $avp(name), or a for all, with /table or /$scheme behind it. 1: there was one, -1: there was none, or an error.",
			Args: sqlscript.PreferenceArgs, Min: 2, Routes: script.Anywhere, Build: m.preferences.Load,
		},
		{
			Name: "avp_db_store", Usage: `avp_db_store("source", "name"[, db_id])`, Async: true,
			Help: "Stores AVPs as preferences, a row for each value. -1: there was none, or an error.",
			Args: sqlscript.PreferenceArgs[:3], Min: 2, Routes: script.Anywhere, Build: m.preferences.Store,
		},
		{
			Name: "avp_db_delete", Usage: `avp_db_delete("source", "name"[, db_id])`, Async: true,
			Help: "Removes preferences. -1: an error.",
			Args: sqlscript.PreferenceArgs[:3], Min: 2, Routes: script.Anywhere, Build: m.preferences.Delete,
		},
		{
			Name: "avp_db_query", Usage: `avp_db_query("query"[, "$avp(a);$avp(b)"][, db_id])`, Async: true,
			Help: "Runs SQL; a variable in quotes is a value there, one outside of them passes as a number only. Each column of the result goes to an AVP, of all rows, the first row in front; without AVPs to $avp(1), $avp(2)... -2: the result has no row, -1: an error, which is logged.",
			Args: sqlscript.QueryArgs, Min: 1, Routes: script.Anywhere, Build: m.db.Query,
		},
	}
}

// manipulations are the functions that do something to AVPs.
func manipulations() []script.Function {
	names, fixed := script.NamesArg, script.FixedArg
	return []script.Function{
		{
			Name: "avp_delete", Usage: `avp_delete("$avp(name)[/g]")`, Help: "Takes the newest value of an AVP away, with g all; \"*\" is all AVPs. -1: there was none.",
			Args: []script.ArgKind{names}, Min: 1, Routes: script.Anywhere, Build: remove,
		},
		{
			Name: "avp_pushto", Usage: `avp_pushto("$ru[/username|/domain]|$du|$br", "$avp(name)[/g]")`,
			Help: "Puts the newest value of an AVP, or another variable, into the request: $br is a new branch. With g further values become branches. -1: there was no value.",
			Args: []script.ArgKind{names, names}, Min: 2, Routes: script.Requests, Build: push,
		},
		{
			Name: "avp_check", Usage: `avp_check("$avp(name)", "eq|ne|lt|le|gt|ge|re|fm|and|or|xor/value[/gi]")`,
			Help: "Compares the newest value of an AVP, or another variable, with a value: by size or text, a regular expression (re), a shell pattern (fm) or bits. i: the case of letters does not count; g: it holds for any value.",
			Args: []script.ArgKind{names, fixed}, Min: 2, Routes: script.Anywhere, Build: check,
		},
		{
			Name: "avp_copy", Usage: `avp_copy("$avp(old)", "$avp(new)[/gdns]")`,
			Help: "Copies the newest value of an AVP to another, with g all; d takes them away from the old one, n makes numbers of them, s texts. -1: there was none.",
			Args: []script.ArgKind{names, names}, Min: 2, Routes: script.Anywhere, Build: copyTo,
		},
		{
			Name: "avp_subst", Usage: `avp_subst("$avp(from)[/$avp(to)[/gd]]", "/expression/replacement/flags")`,
			Help: "Replaces what an expression matches in the newest value of an AVP, with g in all, or puts the outcome into another; d takes it away from the first. -1: nothing matched.",
			Args: []script.ArgKind{names, fixed}, Min: 2, Routes: script.Anywhere, Build: substitute,
		},
		{
			Name: "avp_op", Usage: `avp_op("$avp(from)[/$avp(to)]", "add|sub|mul|div|mod|and|or|xor|not/value[/gd]")`,
			Help: "Calculates with the newest value of an AVP, with g with all, in its place or into another; d takes it away from the first. -1: there was no number, or a division by 0.",
			Args: []script.ArgKind{names, fixed}, Min: 2, Routes: script.Anywhere, Build: calculate,
		},
		{
			Name: "avp_printf", Usage: `avp_printf("$avp(name)", "text $var(x)")`, Help: "Writes a text with variables into an AVP, or another variable, as an assignment does.",
			Args: []script.ArgKind{names, script.TextArg}, Min: 2, Routes: script.Anywhere, Build: printf,
		},
		{
			Name: "avp_print", Usage: "avp_print()", Help: "Logs the AVPs of the message. Does nothing here.", Routes: script.Anywhere, Build: func(a *script.Args) script.Action {
				a.Notef(-1, "avp_print() does nothing: xlog() tells of an AVP by $(avp(name)[*])")
				return func(*script.Machine) int { return 1 }
			},
		},
		{
			Name: "avp_insert", Usage: `avp_insert("$avp(name)", "value", index)`, Help: "Puts a value behind as many newer ones as the index says. -1: there is no room.",
			Args: []script.ArgKind{names, script.TextArg, script.IntArg}, Min: 3, Routes: script.Anywhere, Build: insert,
		},
		{
			Name: "avp_shuffle", Usage: `avp_shuffle("$avp(name)")`, Help: "Puts the values of an AVP into an order by chance. -1: there is none.",
			Args: []script.ArgKind{names}, Min: 1, Routes: script.Anywhere, Build: shuffle,
		},
	}
}
