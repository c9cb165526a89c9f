package store

import "context"

// Verb is what a Change does.
type Verb uint8

// The verbs.
const (
	VerbInsert  Verb = iota + 1 // new rows
	VerbReplace                 // new rows in the place of those with the same key
	VerbUpsert                  // new rows, or their columns into those with the same Key
	VerbUpdate                  // columns of the rows that Where finds
	VerbDelete                  // the rows that Where finds
)

// Change is a change of one table.
type Change struct {
	Verb    Verb
	Table   string
	Columns []string  // of Rows
	Rows    [][]Value // of an insert, replace or upsert
	Key     []string  // of an upsert: columns with a unique index
	Set     []Set     // of an update
	Where   []Cond    // of an update or delete; none is all rows
}

// Apply makes the changes, all or none of them: one transaction. It returns how
// many rows it touched, where the database tells. Folders of db_text take rows
// that are inserted, and nothing else.
func (db *DB) Apply(ctx context.Context, changes ...Change) (int64, error) {
	if len(changes) == 0 {
		return 0, nil
	}
	var n int64
	err := db.run(ctx, db.opt.Timeout, "change "+changes[0].Table, func(ctx context.Context) (err error) {
		n, err = db.change(ctx, changes)
		return err
	})
	return n, err
}

// Insert adds a row.
func (db *DB) Insert(ctx context.Context, table string, row ...Set) error {
	c := Change{Verb: VerbInsert, Table: table}
	c.Columns, c.Rows = split(row)
	_, err := db.Apply(ctx, c)
	return err
}

// Replace adds a row in the place of one with the same key.
func (db *DB) Replace(ctx context.Context, table string, row ...Set) error {
	c := Change{Verb: VerbReplace, Table: table}
	c.Columns, c.Rows = split(row)
	_, err := db.Apply(ctx, c)
	return err
}

// Update writes columns of the rows that the conditions find.
func (db *DB) Update(ctx context.Context, table string, set []Set, where ...Cond) (int64, error) {
	return db.Apply(ctx, Change{Verb: VerbUpdate, Table: table, Set: set, Where: where})
}

// Delete removes the rows that the conditions find; none is all rows.
func (db *DB) Delete(ctx context.Context, table string, where ...Cond) (int64, error) {
	return db.Apply(ctx, Change{Verb: VerbDelete, Table: table, Where: where})
}

func split(row []Set) ([]string, [][]Value) {
	names, values := make([]string, len(row)), make([]Value, len(row))
	for i, s := range row {
		names[i], values[i] = s.Column, s.Value
	}
	return names, [][]Value{values}
}
