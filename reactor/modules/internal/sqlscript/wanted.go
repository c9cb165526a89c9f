package sqlscript

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/modules/internal/query"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Wanted is a table with the columns that a call names; nil for no columns: it is the table that
// has to be there.
type Wanted struct {
	At      script.Pos // where the table is named
	Table   string
	Columns []string
	Writes  bool // it is written to: the user of a server may have no right to read it
}

// Wants notes what a call asks of its database, the number of which is argument i: it is looked at
// when the databases are opened, so that a wrong name is told before a message comes. What only a
// message decides is not known then.
func (d *Databases) Wants(a *script.Args, i int, w Wanted) {
	if text, fixed := a.Fixed(i); a.Given(i) && !fixed {
		return
	} else if n := d.find(number(text)); n != nil {
		n.wanted = append(n.wanted, w)
	}
}

// makesTables reports whether a query may be one that makes tables, or changes them.
func makesTables(parts []query.Part) bool {
	if len(parts) == 0 || parts[0].Var {
		return true
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(parts[0].Text), " ")
	switch strings.ToLower(verb) {
	case "create", "alter", "drop":
		return true
	default:
		return false
	}
}

// check tells what is wrong with the tables that calls name. Where the script makes tables by
// itself nothing is known before it has.
func (n *numbered) check(log *slog.Logger) error {
	if n.makes {
		return nil
	}
	local := n.url.Kind() == store.SQLite || n.url.Kind() == store.Text
	var wrong []error
	for _, w := range n.wanted {
		var err error
		if local || !w.Writes {
			err = database.CheckTables(w.At, n.db, log, store.Select{Table: w.Table, Columns: w.Columns})
		} else {
			err = n.hasColumns(w)
		}
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// hasColumns tells what columns a table lacks that can be seen.
func (n *numbered) hasColumns(w Wanted) error {
	have, err := n.db.Columns(context.Background(), w.Table)
	if err != nil || len(have) == 0 {
		return nil //nolint:nilerr // it is away, or what there is must not be seen
	}
	for _, c := range w.Columns {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, c) }) {
			return script.ErrorAt(w.At, fmt.Errorf("the table %s has no column %s", w.Table, c))
		}
	}
	return nil
}
