package sqlops

import (
	"context"
	"slices"

	"sipreactor/reactor/modules/internal/sqlscript"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

const (
	filterHelp = `The filter is JSON, [{"column":"value"},{"column":{"operator":"value"}}] with =, !=, <, >, <=, >=, LIKE; without one all rows are meant. `
	setHelp    = `The columns are JSON, [{"column":"value"},{"column":2},{"column":null}]. `
	codesHelp  = "-1: an error, which is logged."
)

func (m *module) functions() []script.Function {
	text, fixed := script.TextArg, script.NamesArg
	avp := "sql_avp_"
	list := []script.Function{
		{
			Name: "sql_query", Usage: `sql_query("query"[, "$avp(a);$avp(b)"][, db_id])`,
			Help: "Runs SQL; a variable in quotes is a value there, one outside of them passes as a number only. Each column of the result goes to an AVP, of all rows, the first row in front; without AVPs to $avp(1), $avp(2)... -2: the result has no row, " + codesHelp,
			Args: sqlscript.QueryArgs, Min: 1, Routes: script.Anywhere, Build: m.db.Query,
		},
		{
			Name: "sql_query_one", Usage: `sql_query_one("query"[, "$var(a);$var(b)"][, db_id])`,
			Help: "Runs SQL as sql_query() and puts the first row into variables, as many as it has columns. -2: the result has no row, " + codesHelp,
			Args: sqlscript.QueryArgs, Min: 1, Routes: script.Anywhere, Build: m.db.QueryOne,
		},
		{
			Name: "sql_select", Usage: `sql_select(['["column",...]'], "table"[, 'filter'][, "order"][, "$avp(a);$avp(b)"][, db_id])`,
			Help: "Reads rows of a table. " + filterHelp + "The result goes to AVPs as with sql_query(). -2: there is no row, " + codesHelp,
			Args: []script.ArgKind{text, script.TableArg, text, text, fixed, text}, Min: 0, Routes: script.Anywhere, Build: m.selects(m.db.Rows),
		},
		{
			Name: "sql_select_one", Usage: `sql_select_one(['["column",...]'], "table"[, 'filter'][, "order"][, "$var(a);$var(b)"][, db_id])`,
			Help: "Reads the first row of a table into variables, as many as there are columns. " + filterHelp + "-2: there is no row, " + codesHelp,
			Args: []script.ArgKind{text, script.TableArg, text, text, fixed, text}, Min: 0, Routes: script.Anywhere, Build: m.selects(m.db.Row),
		},
		{
			Name: "sql_update", Usage: `sql_update('[{"column":"value"},...]', "table"[, 'filter'][, db_id])`,
			Help: "Writes columns of rows. " + setHelp + filterHelp + codesHelp,
			Args: []script.ArgKind{text, script.TableArg, text, text}, Min: 2, Routes: script.Anywhere, Build: m.update,
		},
		{
			Name: "sql_insert", Usage: `sql_insert("table", '[{"column":"value"},...]'[, db_id])`,
			Help: "Adds a row. " + setHelp + codesHelp,
			Args: []script.ArgKind{script.TableArg, text, text}, Min: 2, Routes: script.Anywhere, Build: m.writes(store.VerbInsert),
		},
		{
			Name: "sql_replace", Usage: `sql_replace("table", '[{"column":"value"},...]'[, db_id])`,
			Help: "Adds a row in the place of one with the same key; PostgreSQL cannot. " + setHelp + codesHelp,
			Args: []script.ArgKind{script.TableArg, text, text}, Min: 2, Routes: script.Anywhere, Build: m.writes(store.VerbReplace),
		},
		{
			Name: "sql_delete", Usage: `sql_delete("table"[, 'filter'][, db_id])`,
			Help: "Removes rows. " + filterHelp + codesHelp,
			Args: []script.ArgKind{script.TableArg, text, text}, Min: 1, Routes: script.Anywhere, Build: m.remove,
		},
		{
			Name: avp + "load", Usage: avp + `load("source", "name"[, db_id][, "prefix"])`,
			Help: "Loads preferences as AVPs. The source is a variable or a text, with /uuid, /uri, /username or /domain behind it; the name $avp(name), or a for all, with /table or /$scheme behind it. 1: there was one, -1: there was none, or an error.",
			Args: sqlscript.PreferenceArgs, Min: 2, Routes: script.Anywhere, Build: m.preferences.Load,
		},
		{
			Name: avp + "store", Usage: avp + `store("source", "name"[, db_id])`,
			Help: "Stores AVPs as preferences, a row for each value. -1: there was none, or an error.",
			Args: sqlscript.PreferenceArgs[:3], Min: 2, Routes: script.Anywhere, Build: m.preferences.Store,
		},
		{
			Name: avp + "delete", Usage: avp + `delete("source", "name"[, db_id])`,
			Help: "Removes preferences. " + codesHelp,
			Args: sqlscript.PreferenceArgs[:3], Min: 2, Routes: script.Anywhere, Build: m.preferences.Delete,
		},
	}
	for i := range list {
		list[i].Async = true
	}
	return list
}

// selects compiles sql_select() and sql_select_one(), which differ in where the
// result goes.
func (m *module) selects(to func(*script.Args, int) sqlscript.Writer) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		if !a.Given(1) {
			a.Errorf(-1, "the table is missing")
			return nil
		}
		read, ok := compileJSON(a, 0, "columns", columns)
		filter, ok2 := compileJSON(a, 2, "filter", filterPairs)
		write, run := to(a, 4), m.db.Call(a, 5)
		if !ok || !ok2 || write == nil || run == nil {
			return nil
		}
		m.wants(a, 1, 5, false, columnNames(read), pairNames(filter))
		table, order := a.Text(1), a.Text(3)
		return func(x *script.Machine) int {
			name, _ := table(x)
			by, _ := order(x)
			q := store.Select{Table: string(name), Order: string(by)}
			var err error
			if q.Columns, err = names(x, read); err == nil {
				q.Where, err = conditions(x, filter)
			}
			if err != nil {
				return run.Refuse(x, err)
			}
			var res *store.Result
			code := run.Do(x, func(ctx context.Context, db *store.DB) (err error) {
				res, err = db.Select(ctx, q)
				return err
			})
			switch {
			case code != 1:
				return code
			case res.Len() == 0:
				return -2
			}
			return write(x, res)
		}
	}
}

func (m *module) update(a *script.Args) script.Action {
	write, ok := compileJSON(a, 0, "columns", setPairs)
	filter, ok2 := compileJSON(a, 2, "filter", filterPairs)
	run, table := m.db.Call(a, 3), a.Text(1)
	if !ok || !ok2 || run == nil {
		return nil
	}
	m.wants(a, 1, 3, true, pairNames(write), pairNames(filter))
	return func(x *script.Machine) int {
		name, _ := table(x)
		change := store.Change{Verb: store.VerbUpdate, Table: string(name)}
		var err error
		if change.Set, err = sets(x, write); err == nil {
			change.Where, err = conditions(x, filter)
		}
		return apply(run, x, change, err)
	}
}

func (m *module) remove(a *script.Args) script.Action {
	filter, ok := compileJSON(a, 1, "filter", filterPairs)
	run, table := m.db.Call(a, 2), a.Text(0)
	if !ok || run == nil {
		return nil
	}
	m.wants(a, 0, 2, true, pairNames(filter))
	return func(x *script.Machine) int {
		name, _ := table(x)
		change := store.Change{Verb: store.VerbDelete, Table: string(name)}
		var err error
		change.Where, err = conditions(x, filter)
		return apply(run, x, change, err)
	}
}

func (m *module) writes(verb store.Verb) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		write, ok := compileJSON(a, 1, "columns", setPairs)
		run, table := m.db.Call(a, 2), a.Text(0)
		if !ok || run == nil {
			return nil
		}
		m.wants(a, 0, 2, true, pairNames(write))
		return func(x *script.Machine) int {
			name, _ := table(x)
			change := store.Change{Verb: verb, Table: string(name)}
			row, err := sets(x, write)
			change.Rows = [][]store.Value{make([]store.Value, 0, len(row))}
			for _, s := range row {
				change.Columns = append(change.Columns, s.Column)
				change.Rows[0] = append(change.Rows[0], s.Value)
			}
			return apply(run, x, change, err)
		}
	}
}

// wants has a table looked at when the module starts, with what is known of the columns: argument t is
// its name, argument db the number of its database.
func (m *module) wants(a *script.Args, t, db int, writes bool, columns ...[]string) {
	if name, fixed := a.Fixed(t); fixed {
		m.db.Wants(a, db, sqlscript.Wanted{At: a.Literal(t).At, Table: name, Columns: slices.Concat(columns...), Writes: writes})
	}
}

// apply makes a change, unless something was wrong before.
func apply(run *sqlscript.Call, x *script.Machine, change store.Change, err error) int {
	if err != nil {
		return run.Refuse(x, err)
	}
	return run.Do(x, func(ctx context.Context, db *store.DB) error {
		_, err := db.Apply(ctx, change)
		return err
	})
}
