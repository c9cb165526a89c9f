package relay

import (
	"context"
	"fmt"
	"math"
	"sync"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/modules/internal/manage"
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

// Load reads the nodes. One that is wrong is left out with a warning.
func (t *Table) Load(e *script.Env, add func(text string, set int) error) (*manage.Tally, error) {
	tally := new(manage.Tally)
	if !t.Given {
		return tally, nil
	}
	db, err := t.url.Open(e)
	if err != nil {
		return nil, script.ErrorAt(t.url.At(), err)
	}
	defer func() { _ = db.Close() }() // what it says helps nobody now
	q := store.Select{Table: t.Name, Columns: []string{t.Socket, t.Set}, Optional: []string{"id"}}
	err = db.Load(context.Background(), q, func(r *store.Row) error {
		text, set := r.Text(0), r.IntIn(1, 0, math.MaxInt32)
		err := r.Err()
		if err == nil {
			if bad := add(text, int(set)); bad != nil {
				err = r.Fault(0, "%v", bad)
			}
		}
		switch {
		case err == nil:
			tally.Loaded++
		case tally.LeaveOut(err):
			e.Log.Warn("a media relay of a table is left out", "error", err)
		}
		return nil
	})
	if err != nil {
		return nil, script.ErrorAt(t.url.At(), fmt.Errorf("the nodes cannot be read: %w", err))
	}
	return tally, nil
}

// Command declares MODULE_reload, which has the nodes of the table in the place of all others.
func (t *Table) Command(module string, reload func(read func(add func(text string, set int) error) error) error, env func() *script.Env) rpc.Command {
	var one sync.Mutex
	return rpc.Command{Name: module + "_reload", Aliases: []string{module + ":reload"}, Module: module,
		Help:   "Reads the table of nodes again, which replace all that there are. A node that stays is in the state that it was in, whether the type is soft or not." + manage.Answers,
		Params: []rpc.Param{{Name: "type", Optional: true}},
		Func: func(_ context.Context, a *rpc.Args) (any, error) {
			if typ := a.Text("type"); typ != "" && typ != "soft" {
				return nil, &rpc.Error{Code: 400, Message: "The type is soft"}
			}
			if !t.Given {
				return nil, &rpc.Error{Code: 400, Message: "No db_url is set"}
			}
			one.Lock()
			defer one.Unlock()
			var tally *manage.Tally
			if err := reload(func(add func(string, int) error) (err error) {
				tally, err = t.Load(env(), add)
				return err
			}); err != nil {
				return nil, rpc.Failed(err.Error(), nil)
			}
			return manage.Answer(tally), nil
		}}
}
