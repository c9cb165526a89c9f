package freeswitch

import (
	"errors"
	"net"
	"strconv"
	"strings"
)

// URL is where a server's Event Socket is, and who we are there.
type URL struct {
	User, Password string
	Host           string
	Port           uint16
}

// defaultPort is that of the Event Socket.
const defaultPort = 8021

var errURL = errors.New("is no fs://[user]:password@host[:port]")

// ParseURL reads [fs://][[user]:password@]host[:port][/...][?event,...]; the events are those
// behind the question mark. Its errors do not show the text, which has a password.
func ParseURL(text string) (u URL, events []string, err error) {
	rest := strings.TrimPrefix(strings.TrimSpace(text), "fs://")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		var ok bool
		if u.User, u.Password, ok = strings.Cut(rest[:i], ":"); !ok || strings.ContainsAny(rest[:i], "\r\n") {
			return URL{}, nil, errURL
		}
		rest = rest[i+1:]
	}
	rest, list, _ := strings.Cut(rest, "?")
	for e := range strings.SplitSeq(list, ",") {
		if e = strings.TrimSpace(e); e != "" {
			events = append(events, e)
		}
	}
	rest, _, _ = strings.Cut(rest, "/")
	u.Host, u.Port = rest, defaultPort
	if host, port, cut := net.SplitHostPort(rest); cut == nil {
		n, bad := strconv.ParseUint(port, 10, 16)
		if bad != nil || n == 0 {
			return URL{}, nil, errURL
		}
		u.Host, u.Port = host, uint16(n)
	}
	u.Host = strings.Trim(u.Host, "[]")
	if u.Host == "" || strings.ContainsAny(u.Host, " \t\r\n@?") || strings.Contains(u.Host, ":") && net.ParseIP(u.Host) == nil {
		return URL{}, nil, errURL
	}
	return u, events, nil
}

// Address is the host and the port.
func (u *URL) Address() string { return net.JoinHostPort(u.Host, strconv.Itoa(int(u.Port))) }
