package auth_db

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/auth"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

func (m *module) functions() []script.Function {
	const text = script.TextArg
	requests, failed := script.Routes(script.RequestRoute), script.Routes(script.FailureRoute)
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	return []script.Function{
		{Name: "www_authorize", Usage: `www_authorize("realm", "table")`, Min: 2, Help: "Checks the credentials of Authorization.",
			Args: kinds(text, script.TableArg), Routes: requests, Reach: failed, Build: func(a *script.Args) script.Action { return m.authorize(a, auth.WWW) }},
		{Name: "proxy_authorize", Usage: `proxy_authorize("realm", "table")`, Min: 2, Help: "Checks the credentials of Proxy-Authorization.",
			Args: kinds(text, script.TableArg), Routes: requests, Reach: failed, Build: func(a *script.Args) script.Action { return m.authorize(a, auth.Proxy) }},
		{Name: "db_is_to_authorized", Usage: `db_is_to_authorized("table")`, Min: 1,
			Help: "Reports whether a table of URIs lets the user of the credentials be that of To.",
			Args: kinds(script.TableArg), Routes: requests, Reach: failed, Build: func(a *script.Args) script.Action { return m.mayBe(a, (*sipframe.Message).To) }},
		{Name: "db_is_from_authorized", Usage: `db_is_from_authorized("table")`, Min: 1,
			Help: "Reports whether a table of URIs lets the user of the credentials be that of From.",
			Args: kinds(script.TableArg), Routes: requests, Reach: failed, Build: func(a *script.Args) script.Action { return m.mayBe(a, (*sipframe.Message).From) }},
		{Name: "db_does_uri_exist", Usage: `db_does_uri_exist(["uri", "table"])`, Help: "Reports whether a table of users has the URI's. Without arguments, as OpenSIPS 3.1 had it, it is the Request-URI and subscriber.",
			Args: kinds(text, script.TableArg), Routes: requests, Reach: script.Requests, Build: m.exists},
		{Name: "db_get_auth_id", Usage: `db_get_auth_id("table", "uri", $var(user), $var(realm))`, Min: 4,
			Help: "Finds the authentication user of a URI.",
			Args: kinds(script.TableArg, text, script.SetArg, script.SetArg), Routes: script.Routes(script.RequestRoute, script.FailureRoute, script.LocalRoute),
			Build: m.authID},
	}
}

// authorize builds www_authorize() and proxy_authorize().
func (m *module) authorize(a *script.Args, kind auth.Kind) script.Action {
	if name, ok := a.Fixed(1); ok {
		if err := script.CheckColumnName(name); err != nil {
			a.Errorf(1, "%v", err)
			return nil
		}
		m.tables[name] = true
	}
	realm, table, at := a.Text(0), a.Text(1), a.Site()
	return func(x *script.Machine) int {
		name, _ := realm(x)
		from, _ := table(x)
		return m.auth.Authorize(x, at, kind, name, func(c *digest.Credentials) ([]byte, bool, error) {
			return m.find(x, string(from), c)
		})
	}
}

var (
	errNoSource = errors.New("there is neither db_url nor users_file")
	errBusy     = errors.New("too many wait for the database")
)

// find looks a user up: its HA1 of the credentials' algorithm.
func (m *module) find(x *script.Machine, table string, c *digest.Credentials) (ha1 []byte, found bool, err error) {
	m.lookups.Add(1)
	if m.users != nil {
		ha1, found = m.users.find(c)
		return ha1, found, nil
	}
	if m.db == nil {
		return nil, false, errNoSource
	}
	user, domain, has := bytes.Cut(c.User, []byte{'@'})
	if !has {
		domain = c.Realm
	}
	column := m.columns[c.Algorithm]
	switch {
	case m.calculate:
		column = m.columns[digest.MD5]
	case has && c.Algorithm == digest.MD5 && m.withHost != "":
		column = m.withHost
	}
	q := store.Select{Table: table, Columns: []string{column}, Limit: 1,
		Where: []store.Cond{store.Equal(m.userColumn, store.String(string(user)))}}
	if m.useDomain {
		q.Where = append(q.Where, store.Equal(m.domainColumn, store.String(string(domain))))
	}
	for _, l := range m.loaded {
		q.Optional = append(q.Optional, l.column)
	}
	r, err := m.ask(x, q)
	if err != nil || r.Len() == 0 {
		return nil, false, err
	}
	row := r.Row(0)
	for i, l := range m.loaded {
		if v := row[1+i]; !v.IsNull() {
			l.avp.Set(x, script.Text(x.KeepString(v.Text())))
		}
	}
	if secret := row[0].Text(); m.calculate {
		ha1 = digest.AppendHA1(nil, c.Algorithm, c.User, c.Realm, []byte(secret))
	} else {
		ha1 = []byte(secret)
	}
	return ha1, true, nil
}

// ask asks the database while others go on.
func (m *module) ask(x *script.Machine, q store.Select) (r *store.Result, err error) {
	if m.db == nil {
		return nil, errNoSource
	}
	if !x.Wait(func() { r, err = m.db.Select(context.Background(), q) }) {
		err = errBusy
	}
	if err != nil {
		m.fail.Add(1)
	}
	return r, err
}

// What the functions below return when the database cannot be asked.
const failed = -2

// mayBe builds db_is_to_authorized() and db_is_from_authorized(): the user whose credentials were verified may be that of
// the header.
func (m *module) mayBe(a *script.Args, header func(*sipframe.Message) (*sipframe.NameAddr, error)) script.Action {
	table, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		msg := x.Message()
		h, err := header(msg)
		if err != nil {
			return -1
		}
		id, _, ok := x.VerifiedUser()
		if !ok {
			return x.Fail(at, script.Unverified)
		}
		user, host, ok := userOf(msg.Bytes(h.URI))
		if !ok {
			return -1
		}
		name, _ := table(x)
		q := store.Select{Table: string(name), Columns: []string{m.uriUser}, Limit: 1, Where: []store.Cond{
			store.Equal(m.uriUser, store.String(string(id))), store.Equal(m.uriURIUser, store.String(user)),
		}}
		if m.useDomain {
			q.Where = append(q.Where, store.Equal(m.uriDomain, store.String(host)))
		}
		return m.any(x, at, q)
	}
}

// any returns 1 if the query finds a row, -1 if not.
func (m *module) any(x *script.Machine, at *script.Site, q store.Select) int {
	r, err := m.ask(x, q)
	switch {
	case err != nil:
		x.Fail(at, err.Error())
		return failed
	case r.Len() == 0:
		return -1
	}
	return 1
}

func userOf(uri []byte) (user, host string, ok bool) {
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil || !u.HasUser() {
		return "", "", false
	}
	return string(sipframe.UnescapeURI(nil, u.User.In(uri))), strings.ToLower(string(u.Host.In(uri))), true
}

// subscribers is the table of users that OpenSIPS makes.
var subscribers = []byte("subscriber")

// exists builds db_does_uri_exist().
func (m *module) exists(a *script.Args) script.Action {
	uri, table, at := a.Text(0), a.Text(1), a.Site()
	if a.Given(0) != a.Given(1) {
		a.Errorf(-1, "db_does_uri_exist() has a URI and a table, or neither")
		return nil
	}
	if !a.Given(0) {
		request := a.Variable("$ru")
		uri = func(x *script.Machine) ([]byte, bool) { return x.Text(request(x)), true }
		table = func(*script.Machine) ([]byte, bool) { return subscribers, true }
	}
	return func(x *script.Machine) int {
		b, _ := uri(x)
		user, host, ok := userOf(b)
		if !ok {
			return -1
		}
		name, _ := table(x)
		q := store.Select{Table: string(name), Columns: []string{m.userColumn}, Limit: 1,
			Where: []store.Cond{store.Equal(m.userColumn, store.String(user))}}
		if m.useDomain {
			q.Where = append(q.Where, store.Equal(m.domainColumn, store.String(host)))
		}
		return m.any(x, at, q)
	}
}

// authID builds db_get_auth_id().
func (m *module) authID(a *script.Args) script.Action {
	table, uri, setUser, setRealm, at := a.Text(0), a.Text(1), a.Setter(2), a.Setter(3), a.Site()
	return func(x *script.Machine) int {
		name, _ := table(x)
		b, _ := uri(x)
		user, host, ok := userOf(b)
		if !ok {
			return -1
		}
		q := store.Select{Table: string(name), Columns: []string{m.uriUser, m.uriDomain}, Limit: 1,
			Where: []store.Cond{store.Equal(m.uriURIUser, store.String(user))}}
		if m.useDomain {
			q.Where = append(q.Where, store.Equal(m.uriDomain, store.String(host)))
		}
		r, err := m.ask(x, q)
		switch {
		case err != nil:
			x.Fail(at, err.Error())
			return failed
		case r.Len() == 0:
			return -1
		}
		row := r.Row(0)
		setUser(x, script.Text(x.KeepString(row[0].Text())))
		setRealm(x, script.Text(x.KeepString(row[1].Text())))
		return 1
	}
}
