// Package alias_db is OpenSIPS' module alias_db: other names of users, in a table of a
// database that is asked each time. The message waits for it.
package alias_db

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

// module is the module in one configuration.
type module struct {
	url                                database.URL
	user, domain, aliasUser, aliasHost string // columns
	prefix                             string // of domains, which is taken off
	branches                           bool
	tables                             []string // that functions name
	db                                 *store.DB
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{user: "username", domain: "domain", aliasUser: "alias_username", aliasHost: "alias_domain"}
	return &script.Module{
		Name: "alias_db", Help: "Other names of users, in a table.", Instance: m,
		Parameters: append(m.url.Parameters(),
			database.Text("user_column", m.user, "The column of the user.", &m.user),
			database.Text("domain_column", m.domain, "The column of the user's domain.", &m.domain),
			database.Text("alias_user_column", m.aliasUser, "The column of the alias.", &m.aliasUser),
			database.Text("alias_domain_column", m.aliasHost, "The column of the alias' domain.", &m.aliasHost),
			database.Text("domain_prefix", "", "What is taken off the beginning of a domain before it is looked for.", &m.prefix),
			script.Parameter{Name: "append_branches", Type: script.BoolParam, Default: "0", Help: "Whether further users of an alias become branches.", Set: script.Into(&m.branches)},
		),
		Functions: []script.Function{
			{
				Name: "alias_db_lookup", Usage: `alias_db_lookup("table"[, "flags"])`,
				Help: "Puts the user that the Request-URI is an alias of in its place. Flags: d the domain does not count, r the other way round. -1: it is none, or an error.",
				Args: []script.ArgKind{script.TableArg, script.TextArg}, Min: 1, Routes: script.Requests, Async: true, Build: m.lookup,
			},
			{
				Name: "alias_db_find", Usage: `alias_db_find("table", "uri", $var(result)[, "flags"])`,
				Help: "Finds the user that a URI is an alias of. Flags: d the domain does not count, r the other way round. -1: it is none, or an error.",
				Args: []script.ArgKind{script.TableArg, script.TextArg, script.SetArg, script.TextArg}, Min: 3, Routes: script.Anywhere, Async: true, Build: m.find,
			},
		},
		Check: func(l *script.Loading) { m.url.Check(l) },
		Start: m.start, Stop: func(any) { _ = m.db.Close() }, Trial: true,
	}
}

func (m *module) start(e *script.Env) (err error) {
	var tables []store.Select
	for _, t := range m.tables {
		tables = append(tables, store.Select{Table: t, Columns: []string{m.user, m.domain, m.aliasUser, m.aliasHost}})
	}
	m.db, err = m.url.OpenFor(e, tables...)
	return err
}

// search is a call of a function.
type search struct {
	*module
	at           *script.Site
	table, flags func(x *script.Machine) ([]byte, bool)
}

// begin compiles the table and the flags, which are argument i.
func (m *module) begin(a *script.Args, i int) (*search, bool) {
	if text, fixed := a.Fixed(i); fixed && strings.Trim(text, "dr") != "" {
		a.Errorf(i, "found the flags %q, expected d, r or both", text)
		return nil, false
	}
	if name, fixed := a.Fixed(0); fixed && !slices.Contains(m.tables, name) {
		m.tables = append(m.tables, name)
	}
	return &search{module: m, at: a.Site(), table: a.Text(0), flags: a.Text(i)}, true
}

func (m *module) lookup(a *script.Args) script.Action {
	s, ok := m.begin(a, 1)
	if !ok {
		return nil
	}
	return func(x *script.Machine) int {
		uri, _ := x.RequestURI()
		users := s.users(x, uri)
		if len(users) == 0 {
			return -1
		}
		if err := x.Context().SetRequestURI([]byte(users[0])); err != nil {
			return s.useless(x, users[0], err)
		}
		if !m.branches {
			return 1
		}
		for _, u := range users[1:] {
			if _, err := x.Context().AppendBranch([]byte(u), false); err != nil {
				return s.useless(x, u, err)
			}
		}
		return 1
	}
}

func (m *module) find(a *script.Args) script.Action {
	s, ok := m.begin(a, 3)
	if !ok {
		return nil
	}
	uri, set := a.Text(1), a.Setter(2)
	return func(x *script.Machine) int {
		b, _ := uri(x)
		users := s.users(x, b)
		if len(users) == 0 {
			return -1
		}
		set(x, script.Text(x.KeepString(users[0])))
		return 1
	}
}

// useless tells of a row that makes no URI.
func (s *search) useless(x *script.Machine, uri string, err error) int {
	table, _ := s.table(x)
	return x.Reported(s.at, fmt.Errorf("table %s, columns %s and %s: %q: %w", table, s.user, s.domain, uri, err))
}

// maxUsers bounds the users of an alias.
const maxUsers = 64

// users gives the URIs that the table has for one, in the order of the table.
func (s *search) users(x *script.Machine, uri []byte) (list []string) {
	var u sipframe.URI
	if err := sipframe.ParseURI(uri, &u); err != nil || !u.HasUser() {
		return nil
	}
	user := string(u.User.In(uri))
	domain := strings.TrimPrefix(strings.ToLower(string(u.Host.In(uri))), strings.ToLower(s.prefix))
	table, _ := s.table(x)
	flags, _ := s.flags(x)
	withDomain := !strings.Contains(string(flags), "d")
	wantUser, wantHost, user1, host1 := s.user, s.domain, s.aliasUser, s.aliasHost
	if strings.Contains(string(flags), "r") {
		wantUser, wantHost, user1, host1 = user1, host1, wantUser, wantHost
	}
	q := store.Select{Table: string(table), Columns: []string{wantUser, wantHost}, Where: []store.Cond{store.Equal(user1, store.String(user))}, Limit: maxUsers}
	if withDomain {
		q.Where = append(q.Where, store.Equal(host1, store.String(domain)))
	}
	if !database.Ask(x, s.at, func() error {
		return s.db.Find(context.Background(), q, func(r *store.Row) error {
			if r.Text(0) != "" && r.Text(1) != "" {
				list = append(list, "sip:"+r.Text(0)+"@"+r.Text(1))
			}
			return nil
		})
	}) {
		return nil
	}
	return list
}
