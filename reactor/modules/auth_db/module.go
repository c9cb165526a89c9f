package auth_db

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/auth"
	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// subscriberVersion is that of the table subscriber in OpenSIPS 3.6.
const subscriberVersion = 8

// module is auth_db of one configuration.
type module struct {
	url           database.URL
	file          script.Literal
	calculate     bool
	useDomain     bool
	load          script.Literal
	skipVersion   bool
	userColumn    string
	domainColumn  string
	withHost      string    // column of the MD5 hashes of user@host; "" there is none
	columns       [3]string // of the hashes, by algorithm; the first has passwords with calculate
	uriUser       string
	uriDomain     string
	uriURIUser    string
	loaded        []loaded
	tables        map[string]bool // that www_authorize and the like name
	auth          *auth.Module
	db            *store.DB
	users         *userFile
	lookups, fail script.Count
}

// loaded is a column that goes into an AVP.
type loaded struct {
	column string
	avp    *script.AVP
}

// New returns the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{useDomain: true, userColumn: "username", domainColumn: "domain",
		columns: [3]string{"ha1", "ha1_sha256", "ha1_sha512t256"},
		uriUser: "username", uriDomain: "domain", uriURIUser: "uri_user", tables: make(map[string]bool)}
	return &script.Module{
		Name: "auth_db", Help: "Takes the passwords of users from a database or a file.", Instance: m, Needs: []string{"auth"},
		Parameters: m.parameters(), Functions: m.functions(),
		Statistics: []script.Statistic{
			{Name: "lookups", Help: "Users that were looked up.", Count: &m.lookups},
			{Name: "failed_lookups", Help: "Look-ups that failed.", Count: &m.fail},
		},
		Check: m.check, Start: m.start, Trial: true,
		Stop: func(any) {
			if m.db != nil {
				_ = m.db.Close()
			}
		},
	}
}

func (m *module) parameters() []script.Parameter {
	text := func(name, help string, into *string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Default: *into, Set: script.Into(into)}
	}
	keep := func(name, help string, into *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam,
			Set: func(v script.Literal) error { *into = v; return nil }}
	}
	return []script.Parameter{
		m.url.Parameters()[0],
		keep("users_file", `File of users instead of a database, of mode 0600: "user:realm:HA1" or "user:realm:algorithm:HA1" a line, as MD5, SHA-256 or SHA-512-256 (ours).`, &m.file),
		{Name: "calculate_ha1", Type: script.BoolParam, Default: "0", Set: script.Into(&m.calculate),
			Help: "password_column has passwords; else it has MD5 hashes."},
		{Name: "use_domain", Type: script.BoolParam, Default: "1", Set: script.Into(&m.useDomain),
			Help: "A user is looked up with the realm, or the host of a user@host."},
		keep("load_credentials", `Columns that go into AVPs: "$avp(x)=column;column".`, &m.load),
		{Name: "skip_version_check", Type: script.BoolParam, Default: "0", Set: script.Into(&m.skipVersion),
			Help: "The version of the table is not looked at."},
		text("user_column", "Column of the user.", &m.userColumn),
		text("domain_column", "Column of the host.", &m.domainColumn),
		text("password_column", "Column of the MD5 hash, or with calculate_ha1 the password.", &m.columns[digest.MD5]),
		text("password_column_2", "Column of the MD5 hash for users that come as user@host, such as ha1b of tables before OpenSIPS 3.2; without it that is password_column.", &m.withHost),
		text("hash_column_sha256", "Column of the SHA-256 hash.", &m.columns[digest.SHA256]),
		text("hash_column_sha512t256", "Column of the SHA-512/256 hash.", &m.columns[digest.SHA512256]),
		text("uri_user_column", "Column of the authentication user in a table of URIs.", &m.uriUser),
		text("uri_domain_column", "Column of the host there.", &m.uriDomain),
		text("uri_uriuser_column", "Column of the user of the URI there.", &m.uriURIUser),
	}
}

func (m *module) check(l *script.Loading) {
	m.auth, _ = l.Instance("auth").(*auth.Module)
	switch {
	case m.file.Text != "" && m.url.Given():
		l.Errorf(m.file.At, "users_file and db_url exclude one another")
	case m.file.Text != "":
		m.users = &userFile{name: m.file.Text}
		if err := m.users.read(); err != nil {
			l.Errorf(m.file.At, "users_file: %w", err)
		}
	}
	if m.users == nil && m.url.Wanted(l) {
		m.url.Check(l)
	}
	for part := range strings.SplitSeq(m.load.Text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, column, ok := strings.Cut(part, "=")
		if !ok {
			column = name
		}
		if name, column = strings.TrimSpace(name), strings.TrimSpace(column); name == "" || column == "" {
			l.Errorf(m.load.At, `load_credentials %q is wrong: it is "$avp(name)=column" or "column", with ; between several`, part)
			continue
		}
		m.loaded = append(m.loaded, loaded{column: column, avp: l.AVP(script.Literal{At: m.load.At, Text: name})})
	}
}

// start opens the database. That its tables are of the version we know is looked at if it is there; a database that is
// away costs who asks it.
func (m *module) start(e *script.Env) error {
	if m.users != nil {
		m.users.log = e.Log
	}
	if m.url.Text() == "" || m.users != nil {
		return nil
	}
	db, err := m.url.Open(e)
	if err != nil {
		return script.ErrorAt(m.url.At(), err)
	}
	m.db = db
	version := subscriberVersion
	if m.skipVersion {
		version = 0
	}
	var tables []store.Select
	for _, table := range slices.Sorted(maps.Keys(m.tables)) {
		tables = append(tables, store.Select{Table: table, Columns: []string{m.userColumn}, Version: version})
	}
	if err = database.CheckTables(m.url.At(), db, e.Log, tables...); err == nil {
		return nil
	}
	_ = db.Close() // the other error tells more
	if errors.As(err, new(*store.VersionError)) {
		return script.ErrorAt(m.url.At(), fmt.Errorf("%w; modparam(\"auth_db\", \"skip_version_check\", 1) takes it as it is", err))
	}
	return err
}
