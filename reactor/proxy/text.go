package proxy

import (
	"net/netip"
	"unsafe"
)

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// globFold matches a name against a shell pattern without regard to case.
func globFold(pattern, name []byte) bool {
	var star, mark = -1, 0
	p, n := 0, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, n
			p++
			continue
		}
		if size := globOne(pattern[p:], name[n]); size > 0 {
			p += size
			n++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		p, n = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// globOne matches one byte against the head of a pattern, which is no star. It
// gives the length of that head, 0 for no match.
func globOne(pattern []byte, c byte) int {
	if len(pattern) == 0 {
		return 0
	}
	switch pattern[0] {
	case '?':
		return 1
	case '\\':
		if len(pattern) > 1 && lower(pattern[1]) == lower(c) {
			return 2
		}
		return 0
	case '[':
		return globSet(pattern, lower(c))
	default:
		if lower(pattern[0]) == lower(c) {
			return 1
		}
		return 0
	}
}

// globSet matches a lower case byte against the set that a pattern begins with.
// A set without an end is a plain bracket.
func globSet(pattern []byte, c byte) int {
	i, not, in := 1, false, false
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		not = true
		i++
	}
	for first := i; i < len(pattern) && (pattern[i] != ']' || i == first); i++ {
		from, to := lower(pattern[i]), lower(pattern[i])
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			to = lower(pattern[i+2])
			i += 2
		}
		if from <= c && c <= to {
			in = true
		}
	}
	switch {
	case i >= len(pattern):
		if c == '[' {
			return 1
		}
		return 0
	case in == not:
		return 0
	default:
		return i + 1
	}
}

// parseAddr reads an address: IPv4, or IPv6 with or without brackets. No zones:
// SIP has none.
func parseAddr(b []byte) (netip.Addr, bool) {
	if len(b) > 2 && b[0] == '[' && b[len(b)-1] == ']' {
		b = b[1 : len(b)-1]
	}
	if len(b) < 2 || len(b) > 45 {
		return netip.Addr{}, false
	}
	// Names are the common case: an address begins with a digit or has a colon.
	colon := false
	for _, c := range b {
		if c == '%' {
			return netip.Addr{}, false
		}
		colon = colon || c == ':'
	}
	if !colon && (b[0] < '0' || b[0] > '9') {
		return netip.Addr{}, false
	}
	// The string lives as long as the call: an address without a zone keeps
	// nothing of it, and the error that would is let go of.
	addr, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	return addr, err == nil
}

// parsePort reads a port, 1 to 65535.
func parsePort(b []byte) (uint16, bool) {
	if len(b) == 0 || len(b) > 5 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return uint16(n), n > 0 && n <= 65535
}

// splitHostPort parts host[:port]; an IPv6 address is in brackets, or it is the
// whole. The port is 0 if there is none.
func splitHostPort(b []byte) (host []byte, port uint16, ok bool) {
	colons, last := 0, -1
	bracket := -1
	for i, c := range b {
		switch c {
		case ':':
			colons++
			last = i
		case ']':
			bracket = i
		}
	}
	switch {
	case bracket >= 0:
		if b[0] != '[' {
			return nil, 0, false
		}
		host, b = b[:bracket+1], b[bracket+1:]
		if len(b) == 0 {
			return host, 0, true
		}
		if b[0] != ':' {
			return nil, 0, false
		}
		port, ok = parsePort(b[1:])
		return host, port, ok
	case colons == 0:
		return b, 0, true
	case colons == 1:
		port, ok = parsePort(b[last+1:])
		return b[:last], port, ok
	default:
		_, ok = parseAddr(b)
		return b, 0, ok
	}
}
