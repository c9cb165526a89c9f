// Package speeddial is OpenSIPS' module speeddial: short numbers of each user, in a table of
// a database that is asked each time. The message waits for it.
package speeddial

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

type module struct {
	url                                     database.URL
	user, domain, short, shortDomain, toURI string // columns
	prefix                                  string // of the owner's domain, which is taken off
	domains                                 int64  // 1: the owner's domain counts, 2: and that of the short number
	tables                                  []string
	db                                      *store.DB
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{user: "username", domain: "domain", short: "sd_username", shortDomain: "sd_domain", toURI: "new_uri"}
	return &script.Module{
		Name: "speeddial", Help: "Short numbers of each user, in a table.", Instance: m,
		Parameters: append(m.url.Parameters(),
			database.Text("user_column", m.user, "The column of the owner's user.", &m.user),
			database.Text("domain_column", m.domain, "The column of the owner's domain.", &m.domain),
			database.Text("sd_user_column", m.short, "The column of the short number.", &m.short),
			database.Text("sd_domain_column", m.shortDomain, "The column of the short number's domain.", &m.shortDomain),
			database.Text("new_uri_column", m.toURI, "The column of the URI that it stands for.", &m.toURI),
			database.Text("domain_prefix", "", "What is taken off the beginning of the owner's domain before it is looked for.", &m.prefix),
			script.Parameter{Name: "use_domain", Type: script.IntParam, Max: 2, Default: "0", Help: "Which domains count: 0 none, 1 the owner's, 2 that of the short number, too.", Set: script.Into(&m.domains)},
		),
		Functions: []script.Function{{
			Name: "sd_lookup", Usage: `sd_lookup("table"[, "owner"])`,
			Help: "Puts what the Request-URI's short number stands for in its place. The owner is a URI, by default that of From. -1: it stands for nothing, or an error.",
			Args: []script.ArgKind{script.TableArg, script.TextArg}, Min: 1, Routes: script.Requests, Async: true, Build: m.lookup,
		}},
		Check: func(l *script.Loading) { m.url.Check(l) },
		Start: m.start, Stop: func(any) { _ = m.db.Close() }, Trial: true,
	}
}

// tableVersion is that of the table's layout.
const tableVersion = 3

func (m *module) start(e *script.Env) (err error) {
	var tables []store.Select
	for _, t := range m.tables {
		tables = append(tables, store.Select{Table: t, Columns: m.columns(), Version: tableVersion})
	}
	m.db, err = m.url.OpenFor(e, tables...)
	return err
}

// columns are those that are read or asked for.
func (m *module) columns() []string {
	list := []string{m.toURI, m.user, m.short}
	if m.domains > 0 {
		list = append(list, m.domain)
	}
	if m.domains > 1 {
		list = append(list, m.shortDomain)
	}
	return list
}

func (m *module) lookup(a *script.Args) script.Action {
	table, owner, from, at, given := a.Text(0), a.Text(1), a.Variable("$fu"), a.Site(), a.Given(1)
	if name, fixed := a.Fixed(0); fixed && !slices.Contains(m.tables, name) {
		m.tables = append(m.tables, name)
	}
	return func(x *script.Machine) int {
		name, ok := table(x)
		who := x.Text(from(x))
		if given {
			who, _ = owner(x)
		}
		var u sipframe.URI
		uri, short := x.RequestURI()
		if !ok || short == nil || sipframe.ParseURI(who, &u) != nil {
			return x.Fail(at, "sd_lookup() needs a table, and URIs of the owner and of the request")
		}
		q := store.Select{Table: string(name), Columns: []string{m.toURI}, Limit: 1, Where: []store.Cond{
			store.Equal(m.user, store.String(string(u.User.In(who)))), store.Equal(m.short, store.String(string(short.User.In(uri)))),
		}}
		if m.domains > 0 {
			domain := strings.TrimPrefix(strings.ToLower(string(u.Host.In(who))), strings.ToLower(m.prefix))
			q.Where = append(q.Where, store.Equal(m.domain, store.String(domain)))
		}
		if m.domains > 1 {
			q.Where = append(q.Where, store.Equal(m.shortDomain, store.String(strings.ToLower(string(short.Host.In(uri))))))
		}
		to := ""
		if !database.Ask(x, at, func() error {
			return m.db.Find(context.Background(), q, func(r *store.Row) error {
				to = r.Text(0)
				return nil
			})
		}) || to == "" {
			return -1
		}
		if err := x.Context().SetRequestURI([]byte(to)); err != nil {
			return x.Reported(at, fmt.Errorf("table %s, %s=%s, column %s: %q: %w", name, m.short, short.User.In(uri), m.toURI, to, err))
		}
		return 1
	}
}
