// Package database is what modules with a db_url have in common: the parameter, and
// the pool of what it names.
//
//	m := &module{}
//	Parameters: append(m.db.Parameters(), ...)
//	Check:      func(l *script.Loading) { m.db.Check(l) }
//	Start:      func(e *script.Env) (err error) { m.pool, err = m.db.Open(e); return err }
//
// A module without a db_url takes db_default_url. The module of the kind of database,
// such as db_mysql, has to be loaded; what its parameters say is of all pools of the
// kind. Its drivers are the program's.
package database
