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
