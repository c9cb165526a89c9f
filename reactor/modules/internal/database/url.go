package database

import (
	"fmt"
	"path/filepath"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// URL is a module's db_url. The zero value is one that was not set.
type URL struct {
	given script.Literal
	at    script.Pos
	text  string // with the path made whole; "" before Check
	kind  store.Scheme
	opt   func() store.Options
}

// Parameters returns db_url, for a module that has one.
func (u *URL) Parameters() []script.Parameter {
	return []script.Parameter{{
		Name: "db_url", Type: script.StringParam, Default: "that of db_default_url",
		Help: "The database, such as mysql://user:password@host/database, postgres://…, sqlite:///path or text:///folder.",
		Set:  u.Set,
	}}
}

// Set takes the text of a db_url.
func (u *URL) Set(v script.Literal) error {
	if v.Text == "" {
		*u = URL{}
		return nil
	}
	if _, err := store.ParseURL(v.Text); err != nil {
		return fmt.Errorf("is wrong: %w", err)
	}
	u.given = v
	return nil
}

// Given reports whether the module has a db_url of its own.
func (u *URL) Given() bool { return u.given.Text != "" }

// Wanted reports whether there is a database: the module has a db_url, or there is a
// default.
func (u *URL) Wanted(l *script.Loading) bool {
	return u.given.Text != "" || l.Config.Databases.DefaultURL.Text != ""
}

// Kind returns the kind of database; 0 before Check.
func (u *URL) Kind() store.Scheme { return u.kind }

// Text returns the URL, whose password it has; "" before Check.
func (u *URL) Text() string { return u.text }

// At returns where the URL is written; no place before Check.
func (u *URL) At() script.Pos { return u.at }

// Check makes sure that there is a database, on this machine its file or folder, and that
// the module of its kind is loaded. It reports whether that is so.
func (u *URL) Check(l *script.Loading) bool {
	v := u.given
	if v.Text == "" {
		v = l.Config.Databases.DefaultURL
	}
	if v.Text == "" {
		l.Errorf(l.Place("db_url"), "db_url is not set, and there is no db_default_url")
		return false
	}
	parsed, err := store.ParseURL(v.Text)
	if err != nil { // of a db_default_url
		l.Errorf(v.At, "db_default_url is wrong: %v", err)
		return false
	}
	name := parsed.Scheme.Module()
	u.opt = KindsOf(l)[parsed.Scheme]
	switch {
	case u.opt != nil:
	case l.Partial():
		l.Untried()
		return false
	default:
		l.Errorf(v.At, `a db_url of %s:// needs the module %s: loadmodule "%[2]s.so"`, parsed.Scheme, name)
		return false
	}
	u.at, u.text, u.kind = v.At, v.Text, parsed.Scheme
	if (parsed.Scheme == store.SQLite || parsed.Scheme == store.Text) && !filepath.IsAbs(parsed.Name) {
		parsed.Name = filepath.Join(filepath.Dir(v.At.File()), parsed.Name)
		u.text = parsed.String()
	}
	return checkLocal(l, v.At, parsed)
}

// Open returns the pool; Check has been before. Who opens it closes it.
func (u *URL) Open(e *script.Env) (*store.DB, error) { return open(e, u.text, u.opt()) }

func open(e *script.Env, text string, o store.Options) (*store.DB, error) {
	o.Log, o.Trial, o.Linger = e.Log, e.Trial, store.Grace
	return store.Open(text, o)
}
