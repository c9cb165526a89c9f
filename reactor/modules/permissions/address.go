package permissions

import (
	"fmt"
	"net/netip"
	"path"
	"strings"

	"sipreactor/reactor"
)

// Address is a row of an address table: a network with what a peer in it must be.
type Address struct {
	ID      int64
	Group   int
	Network netip.Prefix
	Port    uint16  // 0: any
	Proto   proto   // the transport
	Pattern string  // shell wildcards for the text that the script gives; "" any
	Info    *string // what the script is told; nil is NULL
}

// proto is what a row says of the transport: one of the engine's, or a word.
type proto uint8

const (
	anyProto  proto = 0
	noProto   proto = 0xff // never matches
	sctpProto proto = 0xfe // which is not spoken here
)

// parseRowProto reads the column proto.
func parseRowProto(s string) (proto, error) {
	switch s = strings.ToLower(strings.TrimSpace(s)); s {
	case "", "any":
		return anyProto, nil
	case "none":
		return noProto, nil
	case "sctp", "ws", "wss", "bin", "hep_udp", "hep_tcp", "smpp":
		return sctpProto, nil
	}
	if p, ok := reactor.ParseProto(s); ok {
		return proto(p), nil
	}
	return 0, fmt.Errorf("%q is no transport: any, udp, tcp, tls, sctp, none", s)
}

// String gives the word of the column.
func (p proto) String() string {
	switch p {
	case anyProto:
		return "any"
	case noProto:
		return "none"
	case sctpProto:
		return "sctp"
	default:
		return reactor.Proto(p).String()
	}
}

// parseAskedProto reads the transport that the script asks for; ok is false for a
// word that is none.
func parseAskedProto(s []byte) (p proto, ok bool) {
	if len(s) == 3 && s[0]|0x20 == 'a' && s[1]|0x20 == 'n' && s[2]|0x20 == 'y' {
		return anyProto, true
	}
	if len(s) == 4 && strings.EqualFold(string(s), "sctp") {
		return sctpProto, true
	}
	t, ok := reactor.ParseProto(string(s))
	return proto(t), ok
}

// parseNetwork reads an address and the length of its mask, whose column may be
// empty or -1 for an address alone.
func parseNetwork(ip string, mask int) (netip.Prefix, error) {
	a, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(ip), "[]"))
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%q is no IP address", ip)
	}
	if mask < 0 {
		mask = a.BitLen()
	}
	if a.Is4In6() && mask <= 32 { // as tables have it that are kept in IPv6's form
		a = a.Unmap()
	}
	if mask > a.BitLen() {
		return netip.Prefix{}, fmt.Errorf("mask %d is not 0 to %d", mask, a.BitLen())
	}
	p := netip.PrefixFrom(a, mask)
	if p.Masked() != p {
		return p.Masked(), nil
	}
	return p, nil
}

// question is what a row must fit.
type question struct {
	group   int // 0: any
	ip      netip.Addr
	port    uint16 // 0: any
	proto   proto  // anyProto: any
	pattern []byte // nil: not asked
}

// fits reports whether a row, in whose network the address lies, answers.
func (a *Address) fits(q *question) bool {
	return (q.group == 0 || q.group == a.Group) &&
		(q.port == 0 || a.Port == 0 || q.port == a.Port) &&
		(a.Proto == anyProto || a.Proto == q.proto || q.proto == anyProto && a.Proto != noProto) &&
		(q.pattern == nil || a.Pattern == "" || wildcard(a.Pattern, q.pattern))
}

// Table is the addresses of a partition, as they were loaded.
type Table struct {
	networks *Networks[Address]
	groups   map[int]int // how many rows each has
}

// newTable makes a table.
func newTable(rows []Address) *Table {
	t := &Table{NewNetworks(rows, func(a *Address) netip.Prefix { return a.Network }), map[int]int{}}
	for i := range rows {
		t.groups[rows[i].Group]++
	}
	return t
}

// find gives the row of the smallest network that answers, the first one of the
// table if there are several; nil if none does.
func (t *Table) find(q *question) *Address {
	for a := range t.networks.At(q.ip) {
		if a.fits(q) {
			return a
		}
	}
	return nil
}

// wildcard matches a text with a pattern of the shell: *, ? and [...].
func wildcard(pattern string, text []byte) bool {
	if !strings.ContainsAny(pattern, `?[\`) {
		if i := strings.IndexByte(pattern, '*'); i < 0 {
			return pattern == string(text)
		} else if i == len(pattern)-1 {
			return strings.HasPrefix(string(text), pattern[:i])
		}
	}
	// A slash is nothing special here, as it is to path.Match.
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(string(text), "/", "\x00"))
	return ok && err == nil
}

// checkWildcard finds a pattern that no text can match.
func checkWildcard(pattern string) error {
	if _, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), ""); err != nil {
		return fmt.Errorf("%q is no wildcard pattern: %w", pattern, err)
	}
	return nil
}
