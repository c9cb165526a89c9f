package cachedb_redis

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// groupURL is a cachedb_url: redis[:group]://[user]:[password]@host[:port][,host...]/[database].
type groupURL struct {
	name     string // as the script says it: "redis" or "redis:group"
	user     string
	password string
	hosts    []string // host:port
	socket   string   // in the file system, in the place of hosts
	database int
}

// parseURL reads a cachedb_url. Its errors do not repeat the text: it has a password.
func parseURL(text string) (groupURL, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	kind, group, grouped := strings.Cut(scheme, ":")
	if !ok || kind != "redis" || grouped && group == "" {
		return groupURL{}, errors.New("a cachedb_url begins with redis:// or redis:group://")
	}
	u := groupURL{name: scheme}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, password, has := strings.Cut(rest[:at], ":")
		if !has {
			return groupURL{}, errors.New("what stands before the @ is user:password, or :password")
		}
		u.user, u.password, rest = user, password, rest[at+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, database, _ := strings.Cut(rest, "/")
	if database != "" {
		n, err := strconv.Atoi(database)
		if err != nil || n < 0 {
			return groupURL{}, fmt.Errorf("the database %q is no number", database)
		}
		u.database = n
	}
	for _, h := range strings.Split(hosts, ",") {
		address, err := hostPort(h)
		if err != nil {
			return groupURL{}, err
		}
		u.hosts = append(u.hosts, address)
	}
	return u, u.setParams(query)
}

func hostPort(text string) (string, error) {
	if text == "" {
		return "", errors.New("the cachedb_url names no host")
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.Trim(text, "[]"), "6379"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errors.New("the port of the cachedb_url is no number from 1 to 65535")
	}
	return net.JoinHostPort(host, port), nil
}

func (u *groupURL) setParams(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the parameters of the cachedb_url cannot be read")
	}
	for name := range values {
		switch name {
		case "socket":
			if len(u.hosts) > 1 {
				return errors.New("socket cannot stand with several hosts")
			}
			u.socket = values.Get(name)
		case "tls_domain":
			return errors.New("tls_domain is not supported: TLS to Redis servers is not built in")
		default:
			return fmt.Errorf("the cachedb_url has the unknown parameter %q; there is socket", name)
		}
	}
	return nil
}
