// Package group is OpenSIPS' module group: to which groups a user belongs, by a table
// that a database is asked about each time, and by regular expressions over URIs, which
// are in memory.
package group

import (
	"context"
	"regexp"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// module is the module in one configuration.
type module struct {
	url                         database.URL
	table, user, domain, group  string
	useDomain                   bool
	reTable, expression, number string
	firstOnly                   bool // multiple_gid is 0

	db    *store.DB
	rules *store.Snapshot[[]rule] // nil without re_table
}

// rule is an expression with the group of the URIs that it matches.
type rule struct {
	re    *regexp.Regexp
	group int64
}

// Versions of the tables' layouts.
const (
	tableVersion   = 3
	reTableVersion = 2
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{table: "grp", user: "username", domain: "domain", group: "grp", expression: "reg_exp", number: "group_id"}
	return &script.Module{
		Name: "group", Help: "To which groups a user belongs.", Instance: m,
		Parameters: append(m.url.Parameters(),
			database.Text("table", m.table, "The table of users and their groups.", &m.table),
			database.Text("user_column", m.user, "The column of the user.", &m.user),
			database.Text("domain_column", m.domain, "The column of the user's domain.", &m.domain),
			database.Text("group_column", m.group, "The column of the group.", &m.group),
			script.Parameter{Name: "use_domain", Type: script.BoolParam, Default: "0", Help: "Whether the domain counts as well as the user.", Set: script.Into(&m.useDomain)},
			database.Text("re_table", "", "The table of regular expressions and their groups.", &m.reTable),
			database.Text("re_exp_column", m.expression, "The column of the regular expression.", &m.expression),
			database.Text("re_gid_column", m.number, "The column of the group's number.", &m.number),
			script.Parameter{
				Name: "multiple_gid", Type: script.BoolParam, Default: "1", Help: "Whether all groups are given, or the first one.",
				Set: func(v script.Literal) error {
					m.firstOnly = v.Int == 0
					return nil
				},
			},
			script.Parameter{Name: "aaa_url", Type: script.StringParam, Help: "A RADIUS server.", Note: "aaa_is_user_in() is not here"},
		),
		Lacks: []script.Lack{{Kind: script.LacksFunction, Names: "aaa_is_user_in", Why: "there is no AAA in this version; db_is_user_in() asks a database"}},
		Functions: []script.Function{
			{
				Name: "db_is_user_in", Usage: `db_is_user_in("Request-URI|To|From|Credentials|uri", "group")`,
				Help: "Reports whether a user belongs to a group. -1: no, or an error.",
				Args: []script.ArgKind{script.TextArg, script.TextArg}, Min: 2, Routes: script.Messages, Async: true, Build: m.isIn,
			},
			{
				Name: "db_get_user_group", Usage: `db_get_user_group("Request-URI|To|From|Credentials|uri", "$avp(groups)")`,
				Help: "Puts the numbers of the groups whose expressions match a URI into an AVP, the first in front. -1: there is none.",
				Args: []script.ArgKind{script.TextArg, script.AVPArg}, Min: 2, Routes: script.Messages, Build: m.groups,
			},
		},
		Commands: []rpc.Command{{
			Name: "group_reload", Help: "Reads the regular expressions again: all of them, or none after an error. Not in OpenSIPS.",
			Func: func(ctx context.Context, _ *rpc.Args) (any, error) {
				if m.rules == nil {
					return nil, rpc.Failed("there are no expressions: re_table is not set", nil)
				}
				return "OK", m.rules.Reload(ctx)
			},
		}},
		Check: func(l *script.Loading) { m.url.Check(l) },
		Start: m.start, Trial: true,
		Stop: func(any) { _ = m.db.Close() },
	}
}

func (m *module) start(e *script.Env) (err error) {
	columns := []string{m.user, m.group}
	if m.useDomain {
		columns = append(columns, m.domain)
	}
	if m.db, err = m.url.OpenFor(e, store.Select{Table: m.table, Columns: columns, Version: tableVersion}); err != nil {
		return err
	}
	if m.reTable == "" {
		return nil
	}
	if m.rules, err = database.Keep(e, m.db, "group", m.load); err != nil {
		_ = m.db.Close() // the other error tells more
	}
	return script.ErrorAt(m.url.At(), err)
}

func (m *module) load(ctx context.Context, s store.Source) (*[]rule, error) {
	var rules []rule
	q := store.Select{Table: m.reTable, Columns: []string{"id", m.expression, m.number}, Version: reTableVersion}
	err := s.Load(ctx, q, func(r *store.Row) error {
		re, err := regexp.Compile(r.Text(1))
		if err != nil {
			return r.Fault(1, "is no regular expression here: %v", err)
		}
		rules = append(rules, rule{re, r.Int(2)})
		return nil
	})
	return &rules, err
}

// who compiles argument 0: what gives the user, the domain and the URI of one.
func who(a *script.Args) func(x *script.Machine) (user, domain, uri string) {
	if text, fixed := a.Fixed(0); fixed {
		variables := map[string]string{"request-uri": "$ru", "to": "$tu", "from": "$fu"}
		name := strings.ToLower(text)
		if name == "credentials" {
			return func(x *script.Machine) (string, string, string) {
				user, realm, ok := x.VerifiedUser()
				if !ok {
					return "", "", ""
				}
				u, d := string(user), string(realm)
				return u, d, "sip:" + u + "@" + d
			}
		}
		if variables[name] == "" {
			a.Errorf(0, "found %q, expected Request-URI, To, From, Credentials or a variable with a URI", text)
			return nil
		}
		get := a.Variable(variables[name])
		return func(x *script.Machine) (string, string, string) { return parts(x.Text(get(x))) }
	}
	get := a.Text(0)
	return func(x *script.Machine) (string, string, string) {
		b, _ := get(x)
		return parts(b)
	}
}

func parts(uri []byte) (user, domain, text string) {
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return "", "", ""
	}
	user, domain = string(u.User.In(uri)), strings.ToLower(string(u.Host.In(uri)))
	return user, domain, "sip:" + user + "@" + domain
}

func (m *module) isIn(a *script.Args) script.Action {
	whose, group, at := who(a), a.Text(1), a.Site()
	if whose == nil {
		return nil
	}
	return func(x *script.Machine) int {
		user, domain, _ := whose(x)
		name, ok := group(x)
		if user == "" || !ok {
			return -1
		}
		q := store.Select{Table: m.table, Columns: []string{m.group}, Limit: 1, Where: []store.Cond{
			store.Equal(m.user, store.String(user)), store.Equal(m.group, store.String(string(name))),
		}}
		if m.useDomain {
			q.Where = append(q.Where, store.Equal(m.domain, store.String(domain)))
		}
		var res *store.Result
		if !database.Ask(x, at, func() (err error) { res, err = m.db.Select(context.Background(), q); return err }) {
			return -1
		}
		return script.Yes(res.Len() > 0)
	}
}

func (m *module) groups(a *script.Args) script.Action {
	whose, avp := who(a), a.AVP(1)
	if m.reTable == "" {
		a.Errorf(-1, `db_get_user_group() needs the table of expressions: modparam("group", "re_table", "re_grp")`)
		return nil
	}
	if whose == nil {
		return nil
	}
	return func(x *script.Machine) int {
		user, _, uri := whose(x)
		if user == "" {
			return -1
		}
		found := -1
		for _, r := range *m.rules.Get() {
			if !r.re.MatchString(uri) {
				continue
			}
			found = 1
			if !avp.Append(x, script.Int(r.group)) || m.firstOnly {
				break
			}
		}
		return found
	}
}
