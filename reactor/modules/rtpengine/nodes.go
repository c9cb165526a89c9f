package rtpengine

import (
	"context"
	"fmt"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// table is where nodes are besides those of rtpengine_sock. It is read at the start and
// at a reload.
type table struct {
	url                 database.URL
	given               bool // db_url is set
	name, socket, setID string
}

func (t *table) parameters() []script.Parameter {
	text := func(name, help string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: *to, Help: help, Set: script.NonEmpty(to)}
	}
	return []script.Parameter{
		{Name: "db_url", Type: script.StringParam, Help: "A database with more nodes.", Set: func(v script.Literal) error {
			t.given = v.Text != ""
			return t.url.Set(v)
		}},
		text("db_table", "Its table.", &t.name), text("socket_column", "Column with a node, as in rtpengine_sock.", &t.socket),
		text("set_column", "Column with the number of its set.", &t.setID),
	}
}

// load reads the nodes. One that is wrong is left out with a warning.
func (t *table) load(e *script.Env, add func(text string, set int) error) error {
	if !t.given {
		return nil
	}
	db, err := t.url.Open(e)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what it says helps nobody now
	rows, err := db.Select(context.Background(), store.Select{Table: t.name, Columns: []string{t.socket, t.setID}})
	if err != nil {
		return fmt.Errorf("the nodes cannot be read: %w", err)
	}
	for i := range rows.Len() {
		row := rows.Row(i)
		set, ok := row[1].Int()
		err := error(nil)
		if !ok || set < 0 || set > 1<<31-1 {
			err = errSet
		} else {
			err = add(row[0].Text(), int(set))
		}
		if err != nil {
			e.Log.Warn("rtpengine: a node is left out", "table", t.name, t.socket, row[0].Text(), t.setID, set, "error", err)
		}
	}
	return nil
}
