package database

import (
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Ask has a message wait for ask, which asks a database, and reports whether that has
// answered. Else the log says why not.
func Ask(x *script.Machine, at *script.Site, ask func() error) bool {
	var err error
	switch {
	case !x.Wait(func() { err = ask() }):
		x.Say(at, script.LevelError, "the database is not asked: too many messages wait")
	case err != nil:
		x.Say(at, script.LevelError, "the database failed", "error", err)
	default:
		return true
	}
	return false
}

// Value makes a value of a database one of the script.
func Value(x *script.Machine, v store.Value) script.Value {
	switch v.Kind() {
	case store.KindNull:
		return script.Value{}
	case store.KindInt:
		n, _ := v.Int()
		return script.Int(n)
	default:
		return script.Text(x.KeepString(v.Text()))
	}
}

// OpenFor is Open for tables that will be asked when messages come: what is wrong with one is
// an error (CheckTables).
func (u *URL) OpenFor(e *script.Env, tables ...store.Select) (*store.DB, error) {
	db, err := u.Open(e)
	if err != nil {
		return nil, err
	}
	if err := CheckTables(u.at, db, e.Log, tables...); err != nil {
		_ = db.Close() // the other error tells more
		return nil, err
	}
	return db, nil
}

// Text is a parameter that is a text, such as the name of a table or of a column.
func Text(name, otherwise, help string, to *string) script.Parameter {
	return script.Parameter{Name: name, Type: script.StringParam, Default: otherwise, Help: help, Set: script.Into(to)}
}
