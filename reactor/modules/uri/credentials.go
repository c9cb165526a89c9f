package uri

import (
	"context"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// module is what the functions about credentials need, in one configuration.
type module struct {
	url                          database.URL
	table, user, domain, uriUser string
	useTable                     bool // use_uri_table
	useDomain                    bool // use_domain, of db_does_uri_exist()
	asked                        bool // db_does_uri_exist() is called
	db                           *store.DB
}

func newModule() *module {
	return &module{table: "subscriber", user: "username", domain: "domain", uriUser: "uri_user"}
}

func (m *module) parameters() []script.Parameter {
	idle := func(name, value, help, why string, kind script.ParamType) script.Parameter {
		return script.Parameter{Name: name, Type: kind, Default: value, Help: help, Note: why}
	}
	const noRadius = "no function of uri that is here asks a RADIUS server"
	return append(m.url.Parameters(),
		script.Parameter{
			Name: "use_uri_table", Type: script.BoolParam, Default: "0", Set: script.Into(&m.useTable),
			Help: "Has db_check_to() and db_check_from() look into a table for the users of the URIs that credentials may use.",
		},
		database.Text("db_table", m.table, "The table, such as uri.", &m.table),
		database.Text("user_column", m.user, "The column of the credentials' user.", &m.user),
		database.Text("domain_column", m.domain, "The column of the credentials' realm.", &m.domain),
		database.Text("uriuser_column", m.uriUser, "The column of the URI's user.", &m.uriUser),
		script.Parameter{
			Name: "use_domain", Type: script.BoolParam, Default: "0", Set: script.Into(&m.useDomain),
			Help: "Has the domain count as well as the user in db_does_uri_exist().",
		},
		idle("aaa_url", "", "The RADIUS server.", noRadius, script.StringParam),
		idle("service_type", "10", "The service type of aaa_does_uri_exist().", noRadius, script.IntParam),
		idle("use_sip_uri_host", "0", "Has the host of the URI sent to the RADIUS server.", noRadius, script.BoolParam),
	)
}

func (m *module) functions() []script.Function {
	const help = " is that of the credentials that were verified, or one that a table lets them use (use_uri_table). -1: no, or none were verified, or an error."
	return []script.Function{
		{
			Name: "db_check_to", Usage: "db_check_to()", Help: "Reports whether the user of To" + help,
			Routes: script.Requests, Async: true, Build: m.checks("$tu"),
		},
		{
			Name: "db_check_from", Usage: "db_check_from()", Help: "Reports whether the user of From" + help,
			Routes: script.Requests, Async: true, Build: m.checks("$fu"),
		},
		{
			Name: "db_does_uri_exist", Usage: "db_does_uri_exist()", Help: "Reports whether the table has the user of the Request-URI, in uriuser_column with use_uri_table, else in user_column. -1: no, or an error.",
			Routes: script.Requests, Async: true, Build: m.exists,
		},
	}
}

func (m *module) check(l *script.Loading) {
	if m.useTable {
		m.url.Check(l)
	}
}

func (m *module) start(e *script.Env) (err error) {
	if m.useTable || m.asked {
		if m.db, err = m.url.Open(e); err != nil {
			return err
		}
		err = database.CheckTables(m.url.At(), m.db, e.Log, store.Select{Table: m.table, Columns: []string{m.user, m.domain}})
		if err != nil {
			m.stop(nil)
		}
	}
	return err
}

func (m *module) stop(any) {
	if m.db != nil {
		_ = m.db.Close() // what it says of its connections helps nobody now
	}
}

// checks compiles a function about the URI of a variable.
func (m *module) checks(variable string) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		uri, at := a.Variable(variable), a.Site()
		return func(x *script.Machine) int {
			b := x.Text(uri(x))
			var u sipframe.URI
			user, realm, ok := x.VerifiedUser()
			if !ok {
				return x.Fail(at, script.Unverified)
			}
			who := string(user)
			if sipframe.ParseURI(b, &u) != nil || !u.HasUser() {
				return -1
			}
			if !m.useTable {
				return script.Yes(who == string(u.User.In(b)))
			}
			q := store.Select{Table: m.table, Columns: []string{m.user}, Limit: 1, Where: []store.Cond{
				store.Equal(m.user, store.String(who)), store.Equal(m.domain, store.String(string(realm))),
				store.Equal(m.uriUser, store.String(string(u.User.In(b)))),
			}}
			return m.has(x, at, q)
		}
	}
}

// exists compiles db_does_uri_exist().
func (m *module) exists(a *script.Args) script.Action {
	if m.url.Kind() == 0 && !m.url.Check(a.Loading()) {
		return nil
	}
	m.asked = true
	at := a.Site()
	return func(x *script.Machine) int {
		uri, u := x.RequestURI()
		if u == nil || !u.HasUser() {
			return -1
		}
		column := m.user
		if m.useTable {
			column = m.uriUser
		}
		q := store.Select{Table: m.table, Columns: []string{column}, Limit: 1, Where: []store.Cond{
			store.Equal(column, store.String(string(sipframe.UnescapeURI(nil, u.User.In(uri))))),
		}}
		if m.useDomain {
			q.Where = append(q.Where, store.Equal(m.domain, store.String(strings.ToLower(string(u.Host.In(uri))))))
		}
		return m.has(x, at, q)
	}
}

// has asks whether there is a row.
func (m *module) has(x *script.Machine, at *script.Site, q store.Select) int {
	var res *store.Result
	if !database.Ask(x, at, func() (err error) { res, err = m.db.Select(context.Background(), q); return err }) {
		return -1
	}
	return script.Yes(res.Len() > 0)
}
