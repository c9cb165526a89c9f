package hep

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Transport is how packets travel to a collector.
type Transport string

// The transports, as a hep_id writes them.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// DefaultPort is a collector's port where none is named.
const DefaultPort = 9060

// Destination is a collector.
type Destination struct {
	Name      string // what trace_destination calls it
	Host      string // name or address; IPv6 without brackets
	Port      uint16
	Transport Transport
}

// ParseID reads a hep_id: [name]host[:port][;transport=udp|tcp|tls][;version=3].
// An IPv6 address stands in brackets. Default are TCP and port 9060; names and
// values of parameters are read in any case. The error says what is wrong.
func ParseID(s string) (Destination, error) {
	d := Destination{Port: DefaultPort, Transport: TCP}
	bad := func(format string, args ...any) (Destination, error) {
		return Destination{}, fmt.Errorf("hep_id %q: %s", s, fmt.Sprintf(format, args...))
	}
	rest := strings.TrimSpace(s)
	name, rest, ok := strings.Cut(rest, "]")
	if !ok || !strings.HasPrefix(name, "[") {
		return bad("has no [name] before the host")
	}
	if d.Name = strings.TrimSpace(name[1:]); d.Name == "" {
		return bad("has an empty name")
	}
	addr, params, _ := strings.Cut(rest, ";")
	host, port, err := splitHost(strings.TrimSpace(addr))
	if err != nil {
		return bad("%v", err)
	}
	if d.Host = host; port != 0 {
		d.Port = port
	}
	for _, param := range strings.Split(params, ";") {
		key, value, _ := strings.Cut(param, "=")
		key, value = strings.TrimSpace(key), strings.ToLower(strings.TrimSpace(value))
		switch strings.ToLower(key) {
		case "":
		case "transport":
			if d.Transport = Transport(value); d.Transport != UDP && d.Transport != TCP && d.Transport != TLS {
				return bad("transport is %q, and has to be udp, tcp or tls", value)
			}
		case "version":
			if value != "3" {
				return bad("version is %q: only version 3 carries events of connections", value)
			}
		default:
			return bad("there is no parameter %q; known are transport and version", key)
		}
	}
	return d, nil
}

// splitHost reads host[:port]; port 0 when there is none.
func splitHost(s string) (host string, port uint16, err error) {
	host, text := s, ""
	switch {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, fmt.Errorf("%q lacks a closing bracket", s)
		}
		host, text = s[1:end], s[end+1:]
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() {
			return "", 0, fmt.Errorf("%q is no IPv6 address", host)
		}
		if text != "" && text[0] != ':' {
			return "", 0, fmt.Errorf("%q stands behind the address", text)
		}
	case strings.Count(s, ":") > 1:
		return "", 0, fmt.Errorf("an IPv6 address such as %q stands in brackets", s)
	default:
		if i := strings.IndexByte(s, ':'); i >= 0 {
			host, text = s[:i], s[i:]
		}
	}
	if host == "" || strings.ContainsAny(host, " \t/@[]") {
		return "", 0, fmt.Errorf("%q is no host", host)
	}
	if text == "" {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(text[1:], 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%q is no port", text[1:])
	}
	return host, uint16(n), nil
}

// Address is the collector's host:port, as net.Dial takes it.
func (d Destination) Address() string {
	return net.JoinHostPort(d.Host, strconv.Itoa(int(d.Port)))
}

// String writes the destination as a hep_id.
func (d Destination) String() string {
	return "[" + d.Name + "]" + d.Address() + ";transport=" + string(d.Transport) + ";version=3"
}

// Private tells whether nobody on the way can read what is sent: the collector
// is on this machine, or TLS is spoken to it.
func (d Destination) Private() bool {
	if d.Transport == TLS || strings.EqualFold(d.Host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(d.Host)
	if err != nil {
		return false
	}
	if a = a.Unmap(); a.IsLoopback() {
		return true
	}
	ours, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(ours, func(o net.Addr) bool {
		p, err := netip.ParsePrefix(o.String())
		return err == nil && p.Addr().Unmap() == a
	})
}
