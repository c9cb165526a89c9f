package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Table is where nodes are besides those of the configuration. It is read at the start and at a reload.
type Table struct {
	Name, Socket, Set string // of the table and its columns
	Given             bool   // db_url is set
	url               database.URL
}

// Parameters declares db_url, db_table and the columns, by the names that the module gives them.
func (t *Table) Parameters(socketColumn, setColumn string) []script.Parameter {
	text := func(name, help string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: *to, Help: help, Set: script.NonEmpty(to)}
	}
	return []script.Parameter{
		{Name: "db_url", Type: script.StringParam, Help: "A database with more nodes.", Set: func(v script.Literal) error {
			t.Given = v.Text != ""
			return t.url.Set(v)
		}},
		text("db_table", "Its table.", &t.Name), text(socketColumn, "Column with a node, as the configuration names it.", &t.Socket),
		text(setColumn, "Column with the number of its set.", &t.Set),
	}
}

// Check checks what is configured.
func (t *Table) Check(l *script.Loading) {
	if t.Given {
		t.url.Check(l)
	}
}

// errNumber is that a set has no number that can be one.
var errNumber = errors.New("there is no such set of nodes")

// Load reads the nodes. One that is wrong is left out with a warning.
func (t *Table) Load(e *script.Env, add func(text string, set int) error) error {
	if !t.Given {
		return nil
	}
	db, err := t.url.Open(e)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what it says helps nobody now
	rows, err := db.Select(context.Background(), store.Select{Table: t.Name, Columns: []string{t.Socket, t.Set}})
	if err != nil {
		return fmt.Errorf("the nodes cannot be read: %w", err)
	}
	for i := range rows.Len() {
		row := rows.Row(i)
		set, ok := row[1].Int()
		err := error(nil)
		if !ok || set < 0 || set > 1<<31-1 {
			err = errNumber
		} else {
			err = add(row[0].Text(), int(set))
		}
		if err != nil {
			e.Log.Warn("a media relay of a table is left out", "table", t.Name, t.Socket, row[0].Text(), t.Set, set, "error", err)
		}
	}
	return nil
}

// Command declares MODULE_reload, which has the nodes of the table in the place of all others.
func (t *Table) Command(module string, reload func(read func(add func(text string, set int) error) error) error, env func() *script.Env) rpc.Command {
	var one sync.Mutex
	return rpc.Command{Name: module + "_reload", Aliases: []string{module + ":reload"}, Module: module,
		Help: "Reads the table of nodes again, which replace all that there are.",
		Func: func(context.Context, *rpc.Args) (any, error) {
			if !t.Given {
				return nil, &rpc.Error{Code: 400, Message: "No db_url is set"}
			}
			one.Lock()
			defer one.Unlock()
			if err := reload(func(add func(string, int) error) error { return t.Load(env(), add) }); err != nil {
				return nil, &rpc.Error{Code: 500, Message: err.Error()}
			}
			return "OK", nil
		}}
}
