// Package domain is OpenSIPS' module domain: which domains are ours, by a table.
//
// With db_mode 1 the table is in memory, as a snapshot that domain_reload replaces as a
// whole; with 0, the default as there, the database is asked each time, and the message
// waits for it. domain_file, which OpenSIPS has not, takes the place of a database.
package domain

import (
	"context"
	"path/filepath"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// tableVersion is that of the layout of the table domain.
const tableVersion = 4

// module is the module in one configuration.
type module struct {
	url                              database.URL
	file                             string
	at                               script.Pos // of what names the file or the database
	cached                           bool
	table, name, attrs, hasSubdomain string

	db  *store.DB
	all *store.Snapshot[domains] // nil: the database is asked
}

// entry is what the table says of a domain.
type entry struct {
	attrs      string
	hasAttrs   bool
	subdomains bool // they are ours, too
}

// domains are the entries by name, in small letters.
type domains map[string]entry

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{table: "domain", name: "domain", attrs: "attrs", hasSubdomain: "accept_subdomain"}
	return &script.Module{
		Name: "domain", Help: "Which domains are ours, by a table.", Instance: m,
		Parameters: append(m.url.Parameters(),
			script.Parameter{Name: "db_mode", Type: script.IntParam, Max: 3, Default: "0", Help: "1 and more: the table is in memory, until domain_reload; 0: the database is asked each time.",
				Set: func(v script.Literal) error { m.cached = v.Int > 0; return nil }},
			database.Text("domain_file", "", "A file with the table in the place of a database: CSV with the names of the columns in its first line, or db_text's form. Not in OpenSIPS.", &m.file),
			database.Text("domain_table", m.table, "The table.", &m.table),
			database.Text("domain_col", m.name, "The column of the domain.", &m.name),
			database.Text("attrs_col", m.attrs, "The column of what scripts are told of the domain.", &m.attrs),
			database.Text("subdomain_col", m.hasSubdomain, "The column that tells whether subdomains are ours, too.", &m.hasSubdomain),
		),
		Functions: m.functions(),
		Commands:  m.commands(),
		Check:     m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

func (m *module) check(l *script.Loading) {
	if m.file == "" {
		m.url.Check(l)
		m.at = m.url.At()
		return
	}
	m.at = l.Place("domain_file")
	if !filepath.IsAbs(m.file) {
		m.file = filepath.Join(filepath.Dir(l.Place("domain_file").File()), m.file)
	}
}

func (m *module) start(e *script.Env) (err error) {
	var source store.Source = store.File{Path: m.file}
	cache := ""
	if m.file == "" {
		if m.db, err = m.url.Open(e); err != nil {
			return err
		}
		if !m.cached {
			return database.CheckTables(m.url.At(), m.db, e.Log, m.query())
		}
		source, cache = m.db, "domain"
	}
	if m.all, err = database.Keep(e, source, cache, m.load); err != nil {
		m.stop(nil)
	}
	return script.ErrorAt(m.at, err)
}

func (m *module) stop(any) {
	if m.db != nil {
		_ = m.db.Close() // what it says of its connections helps nobody now
	}
}

// query reads the whole table.
func (m *module) query() store.Select {
	return store.Select{Table: m.table, Columns: []string{m.name, m.attrs, m.hasSubdomain}, Key: m.name, Version: tableVersion}
}

// load makes the domains of the table.
func (m *module) load(ctx context.Context, s store.Source) (*domains, error) {
	all := make(domains)
	q := m.query()
	if m.file != "" { // which may have no more than names
		q.Columns, q.Optional = q.Columns[:1], q.Columns[1:]
	}
	err := s.Load(ctx, q, func(r *store.Row) error {
		name, e := take(r)
		if name == "" {
			return r.Fault(0, "is empty")
		}
		all[name] = e
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &all, nil
}

// take reads a row of query.
func take(r *store.Row) (string, entry) {
	return strings.ToLower(strings.TrimSpace(r.Text(0))), entry{attrs: r.Text(1), hasAttrs: !r.IsNull(1), subdomains: r.Int(2) > 0}
}

// find looks a domain up: by itself, or as a subdomain of one that has them.
func (d domains) find(name string) (entry, bool) {
	if e, ok := d[name]; ok {
		return e, true
	}
	for parent := range parents(name) {
		if e, ok := d[parent]; ok && e.subdomains {
			return e, true
		}
	}
	return entry{}, false
}

// maxParents bounds the domains above one that are looked at.
const maxParents = 16

// parents are the domains above one, the nearest first.
func parents(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for range maxParents {
			_, above, ok := strings.Cut(name, ".")
			if !ok || above == "" || !yield(above) {
				return
			}
			name = above
		}
	}
}

// ask looks a domain up in the database.
func (m *module) ask(ctx context.Context, name string) (entry, bool, error) {
	q := m.query()
	names := store.Cond{Column: m.name, Any: []store.Value{store.String(name)}}
	for p := range parents(name) {
		names.Any = append(names.Any, store.String(p))
	}
	q.Where, q.Version = []store.Cond{names}, 0
	found := make(domains)
	err := m.db.Find(ctx, q, func(r *store.Row) error {
		n, e := take(r)
		found[n] = e
		return nil
	})
	e, ok := found.find(name)
	return e, ok, err
}
