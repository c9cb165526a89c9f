package acc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// checkTables tells what is wrong with the tables that the script has records written to. The user of a server may have
// the right to write alone: what cannot be looked at there is not wrong.
func (m *module) checkTables(db *store.DB, log *slog.Logger) error {
	var wrong []error
	for _, table := range m.asked() {
		if k := m.url.Kind(); k == store.SQLite || k == store.Text {
			if err := database.CheckTables(m.url.At(), db, log, store.Select{Table: table}); err != nil {
				wrong = append(wrong, err)
				continue
			}
		}
		have, err := db.Columns(context.Background(), table)
		if store.Unreachable(err) {
			break // the next one would wait as long
		}
		if err != nil || len(have) == 0 { // none: a trial asks nobody on a network
			continue
		}
		lacks := func(column string) bool {
			return !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, column) })
		}
		for _, f := range slices.Concat(m.extra.fields[toDB], m.legs.fields[toDB]) {
			if lacks(f.name) {
				wrong = append(wrong, script.ErrorAt(f.said.at, fmt.Errorf("%s of acc: the table %s has no column %s", f.said.param, table, f.name)))
			}
		}
		if !m.toCalls && !m.older.toCalls() || table != m.table {
			continue
		}
		for _, column := range callColumns {
			if lacks(column) {
				wrong = append(wrong, script.ErrorAt(m.url.At(), fmt.Errorf("the flag cdr of acc: the table %s has no column %s", table, column)))
			}
		}
	}
	return errors.Join(wrong...)
}

// callColumns are those that records of calls have besides.
var callColumns = [...]string{"duration", "ms_duration", "setuptime", "created"}

// asked lists those tables.
func (m *module) asked() (tables []string) {
	if m.toTable || m.older.toTable {
		tables = append(tables, m.table)
	}
	if m.toMissed || m.older.toMissed {
		tables = append(tables, m.missedTable)
	}
	return tables
}
