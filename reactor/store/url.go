package store

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Scheme is a kind of database.
type Scheme uint8

// The kinds that there are.
const (
	MySQL Scheme = iota + 1
	Postgres
	SQLite
	Text
)

// String returns the name that begins a URL.
func (s Scheme) String() string {
	switch s {
	case MySQL:
		return "mysql"
	case Postgres:
		return "postgres"
	case SQLite:
		return "sqlite"
	case Text:
		return "text"
	default:
		return "none"
	}
}

// Module returns the name of OpenSIPS' module for the kind, db_mysql.
func (s Scheme) Module() string { return "db_" + s.String() }

// URL is where a database is and who asks it. The zero value is none.
type URL struct {
	Scheme   Scheme
	User     string
	Password string
	Host     string
	Port     uint16 // 0 is the default of the kind
	// Name is the database's name, the path of a SQLite file or the folder of db_text.
	Name string
	// Params are behind a question mark: tls of mysql (true, skip-verify,
	// preferred), sslmode of postgres.
	Params url.Values
}

// String returns the URL without its password.
func (u URL) String() string {
	var b strings.Builder
	b.WriteString(u.Scheme.String())
	b.WriteString("://")
	if u.Scheme == SQLite || u.Scheme == Text {
		b.WriteString(u.Name)
		return b.String()
	}
	if u.User != "" {
		b.WriteString(u.User)
		if u.Password != "" {
			b.WriteString(":***")
		}
		b.WriteByte('@')
	}
	if strings.Contains(u.Host, ":") {
		b.WriteString("[" + u.Host + "]")
	} else {
		b.WriteString(u.Host)
	}
	if u.Port != 0 {
		b.WriteString(":" + strconv.Itoa(int(u.Port)))
	}
	b.WriteString("/" + u.Name)
	return b.String()
}

// schemes are the beginnings of URLs, with the other spellings that are about.
var schemes = map[string]Scheme{
	"mysql": MySQL, "postgres": Postgres, "postgresql": Postgres, "pgsql": Postgres,
	"sqlite": SQLite, "sqlite3": SQLite, "text": Text, "dbtext": Text,
}

// params are those that the URL of a kind may have.
var params = map[Scheme][]string{
	MySQL:    {"tls"},
	Postgres: {"sslmode", "sslrootcert"},
}

// ParseURL reads a db_url. A password may hold what other URLs forbid: it goes
// to the last @. Its errors do not repeat the text.
func ParseURL(text string) (URL, error) {
	name, rest, ok := strings.Cut(text, ":")
	u := URL{Scheme: schemes[name]}
	if !ok || u.Scheme == 0 {
		return URL{}, errors.New("a db_url begins with mysql://, postgres://, sqlite:// or text://")
	}
	rest = strings.TrimPrefix(rest, "//")
	if u.Scheme == SQLite || u.Scheme == Text {
		if rest == "" || rest == "/" {
			return URL{}, fmt.Errorf("%s:// wants a path: %[1]s:///path", u.Scheme)
		}
		u.Name = rest
		return u, nil
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		u.User, u.Password, _ = strings.Cut(rest[:at], ":")
		rest = rest[at+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	if err := u.setParams(query); err != nil {
		return URL{}, err
	}
	where, database, ok := strings.Cut(rest, "/")
	if !ok || database == "" {
		return URL{}, fmt.Errorf("the db_url names no database: %s://user:password@host/database", u.Scheme)
	}
	u.Name = database
	return u, u.setHost(where)
}

func (u *URL) setParams(query string) error {
	if query == "" {
		return nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the parameters of the db_url cannot be read")
	}
	for name := range values {
		known := false
		for _, p := range params[u.Scheme] {
			known = known || p == name
		}
		if !known {
			return fmt.Errorf("the db_url has the unknown parameter %q; there are %s", name, strings.Join(params[u.Scheme], ", "))
		}
	}
	u.Params = values
	return nil
}

func (u *URL) setHost(where string) error {
	host, port := where, ""
	if strings.HasPrefix(where, "[") {
		end := strings.IndexByte(where, ']')
		if end < 0 {
			return errors.New("the host of the db_url has a [ and no ]")
		}
		host, port = where[1:end], where[end+1:]
		if port != "" && port[0] != ':' {
			return errors.New("the db_url has something between ] and the port")
		}
		port = strings.TrimPrefix(port, ":")
	} else if h, p, ok := strings.Cut(where, ":"); ok {
		host, port = h, p
	}
	if host == "" {
		host = "localhost"
	}
	u.Host = host
	if port == "" {
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return errors.New("the port of the db_url is no number from 1 to 65535")
	}
	u.Port = uint16(n)
	return nil
}
