package database

import (
	"fmt"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Kinds are the kinds of databases whose modules are loaded, and what their parameters and those of all databases say of a pool.
type Kinds map[store.Scheme]func() store.Options

// KindsOf returns those of a configuration.
func KindsOf(l *script.Loading) Kinds {
	shared, all := l.Config.Databases, Kinds{}
	for _, scheme := range [...]store.Scheme{store.MySQL, store.Postgres, store.SQLite, store.Text} {
		kind, ok := l.Instance(scheme.Module()).(interface{ Options() store.Options })
		if !ok {
			continue
		}
		all[scheme] = func() store.Options {
			o := kind.Options()
			o.VersionTable = shared.VersionTable
			if shared.Conns > 0 {
				o.Conns = shared.Conns
			}
			return o
		}
	}
	return all
}

// Open returns the pool of a URL that is known at the start only. Who opens it closes it.
func (k Kinds) Open(e *script.Env, text string) (*store.DB, error) {
	u, err := store.ParseURL(text)
	if err != nil {
		return nil, err
	}
	opt := k[u.Scheme]
	if opt == nil {
		return nil, fmt.Errorf(`a db_url of %s:// needs the module %s: loadmodule "%[2]s.so"`, u.Scheme, u.Scheme.Module())
	}
	if err := u.CheckLocal(); err != nil {
		return nil, err
	}
	return open(e, text, opt())
}
