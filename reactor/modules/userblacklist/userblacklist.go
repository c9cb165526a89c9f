// Package userblacklist is OpenSIPS' module userblacklist: prefixes of numbers that may
// not be called, for each user by a table that a database is asked about each time, and
// for all by tables that are in memory. The longest prefix decides, and a row can allow
// what a shorter one forbids.
package userblacklist

import (
	"context"
	"slices"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// module is the module in one configuration.
type module struct {
	url       database.URL
	table     string
	useDomain bool
	ofUsers   bool // the script asks for users' prefixes in table

	tables []string // of check_blacklist()
	db     *store.DB
	lists  *store.Snapshot[map[string]prefixes] // by table; nil: there are none
}

// tableVersion is that of the tables' layouts.
const tableVersion = 2

// maxPrefix bounds the prefixes that are looked at, in bytes.
const maxPrefix = 64

// prefixes tell of each whether it is allowed.
type prefixes map[string]bool

// allows reports whether a number may be called: by the longest prefix of it, and where
// there is none, too.
func (p prefixes) allows(number []byte) bool {
	for n := min(len(number), maxPrefix); n >= 0; n-- {
		if allowed, ok := p[string(number[:n])]; ok {
			return allowed
		}
	}
	return true
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{table: "userblacklist"}
	text := script.TextArg
	return &script.Module{
		Name: "userblacklist", Help: "Numbers that may not be called, for each user or for all.", Instance: m,
		Parameters: append(m.url.Parameters(),
			script.Parameter{Name: "db_table", Type: script.StringParam, Default: m.table, Help: "The table of users' prefixes.", Set: script.NonEmpty(&m.table)},
			script.Parameter{Name: "use_domain", Type: script.BoolParam, Default: "0", Help: "Whether the domain counts as well as the user.", Set: script.Into(&m.useDomain)},
		),
		Functions: []script.Function{
			{
				Name: "check_user_blacklist", Usage: `check_user_blacklist("user", "domain"[, "number"][, "table"])`,
				Help: "Reports whether a user may call a number, without one the Request-URI's user. -1: not, or an error.",
				Args: []script.ArgKind{text, text, text, script.TableArg}, Min: 2, Routes: script.Requests, Async: true, Build: m.user,
			},
			{
				Name: "check_blacklist", Usage: `check_blacklist("table")`, Help: "Reports whether the Request-URI's user may be called. -1: not.",
				Args: []script.ArgKind{script.FixedArg}, Min: 1, Routes: script.Requests, Build: m.all,
			},
		},
		Commands: []rpc.Command{{
			Name: "reload_blacklist", Aliases: []string{"userblacklist:reload_blacklist"}, Help: "Reads the tables of check_blacklist() again: all of them, or none after an error.",
			Func: func(ctx context.Context, _ *rpc.Args) (any, error) {
				if m.lists == nil {
					return nil, rpc.Failed("there are no lists: check_blacklist() is not used", nil)
				}
				return "OK", m.lists.Reload(ctx)
			},
		}},
		Check: func(l *script.Loading) { m.url.Check(l) },
		Start: m.start, Trial: true,
		Stop: func(any) { _ = m.db.Close() },
	}
}

func (m *module) start(e *script.Env) (err error) {
	var tables []store.Select
	if m.ofUsers {
		tables = append(tables, store.Select{Table: m.table, Columns: []string{"username", "prefix", "whitelist"}})
	}
	if m.db, err = m.url.OpenFor(e, tables...); err != nil {
		return err
	}
	if len(m.tables) == 0 {
		return nil
	}
	if m.lists, err = database.Keep(e, m.db, "userblacklist", m.load); err != nil {
		_ = m.db.Close() // the other error tells more
	}
	return script.ErrorAt(m.url.At(), err)
}

func (m *module) load(ctx context.Context, s store.Source) (*map[string]prefixes, error) {
	all := make(map[string]prefixes)
	for _, table := range m.tables {
		list := make(prefixes)
		q := store.Select{Table: table, Columns: []string{"prefix", "whitelist"}, Key: "prefix", Version: tableVersion}
		if err := s.Load(ctx, q, func(r *store.Row) error {
			if len(r.Text(0)) > maxPrefix {
				return r.Fault(0, "is longer than %d bytes", maxPrefix)
			}
			list[r.Text(0)] = r.Int(1) != 0
			return nil
		}); err != nil {
			return nil, err
		}
		all[table] = list
	}
	return &all, nil
}

func (m *module) all(a *script.Args) script.Action {
	table, _ := a.Fixed(0)
	if table == "" {
		a.Errorf(0, "the name of a table is missing")
		return nil
	}
	if err := script.CheckColumnName(table); err != nil {
		a.Errorf(0, "%v", err)
		return nil
	}
	if !slices.Contains(m.tables, table) {
		m.tables = append(m.tables, table)
	}
	number := a.Variable("$rU")
	return func(x *script.Machine) int {
		return script.Yes((*m.lists.Get())[table].allows(x.Text(number(x))))
	}
}

func (m *module) user(a *script.Args) script.Action {
	user, domain, number, table, at := a.Text(0), a.Text(1), a.Text(2), a.Text(3), a.Site()
	called := a.Variable("$rU")
	m.ofUsers = m.ofUsers || !a.Given(3)
	return func(x *script.Machine) int {
		who, ok := user(x)
		if !ok || len(who) == 0 {
			return x.Fail(at, "there is no user")
		}
		n, given := number(x)
		if !given {
			n = x.Text(called(x))
		}
		q := store.Select{Table: m.table, Columns: []string{"prefix", "whitelist"}, Where: []store.Cond{store.Equal("username", store.String(string(who)))}}
		if t, ok := table(x); ok && len(t) > 0 {
			q.Table = string(t)
		}
		if m.useDomain {
			d, _ := domain(x)
			q.Where = append(q.Where, store.Equal("domain", store.String(string(d))))
		}
		var res *store.Result
		if !database.Ask(x, at, func() (err error) { res, err = m.db.Select(context.Background(), q); return err }) {
			return -1
		}
		list := make(prefixes, res.Len())
		for i := range res.Len() {
			r := res.Row(i)
			allowed, _ := r[1].Int()
			list[r[0].Text()] = allowed != 0
		}
		return script.Yes(list.allows(n))
	}
}
