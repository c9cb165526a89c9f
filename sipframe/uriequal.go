package sipframe

import (
	"bytes"
	"strings"
)

// maxCompared is the number of parameters, or headers, up to which the order of
// them is not minded in a comparison of URIs.
const maxCompared = 64

// EqualURI tells whether two URIs are equivalent: SIP and SIPS URIs by RFC 3261
// section 19.1.4, tel URIs by RFC 3966 section 5, others if their bytes are the
// same but for the case of the scheme. What is no URI equals nothing.
//
// A transport parameter in one of the two alone makes them differ: the rules do
// not list it, but the examples of section 19.1.4 do. URIs with more than 64
// parameters or headers are equal only if those are the same bytes. The relation
// is not transitive.
func EqualURI(a, b []byte) bool {
	var u, v URI
	if u.parse(a) != nil || v.parse(b) != nil || u.Scheme != v.Scheme {
		return false
	}
	switch u.Scheme {
	case SchemeSIP, SchemeSIPS:
		return u.Port == v.Port &&
			(u.HasUser() == v.HasUser()) &&
			equalEscaped(u.User.In(a), v.User.In(b), false) &&
			equalEscaped(u.Password.In(a), v.Password.In(b), false) &&
			EqualFoldBytes(u.Host.In(a), v.Host.In(b)) &&
			equalParams(u.Params.In(a), v.Params.In(b), decisiveParam) &&
			equalHeaders(u.Headers.In(a), v.Headers.In(b))
	case SchemeTel:
		every := func([]byte) bool { return true }
		return equalNumbers(u.User.In(a), v.User.In(b)) && equalParams(u.Params.In(a), v.Params.In(b), every)
	default:
		return EqualFoldBytes(u.SchemeName.In(a), v.SchemeName.In(b)) && bytes.Equal(u.Opaque.In(a), v.Opaque.In(b))
	}
}

// decisiveParam tells whether a URI that has the parameter differs from one
// that has not.
func decisiveParam(name []byte) bool {
	switch len(name) {
	case 3:
		return EqualFold(name, "ttl")
	case 4:
		return EqualFold(name, "user")
	case 5:
		return EqualFold(name, "maddr")
	case 6:
		return EqualFold(name, "method")
	case 9:
		return EqualFold(name, "transport")
	default:
		return false
	}
}

// equalParams compares parameters in any order. One that is in both must match;
// one that decides must be in both.
func equalParams(a, b []byte, decides func(name []byte) bool) bool {
	if tooMany(a, ';') || tooMany(b, ';') {
		return bytes.Equal(a, b)
	}
	return paramsWithin(a, b, decides) && paramsWithin(b, a, decides)
}

func paramsWithin(a, b []byte, decides func(name []byte) bool) bool {
	it := Params(a)
	for p, ok := it.Next(); ok; p, ok = it.Next() {
		there, same := false, false
		other := Params(b)
		for q, ok := other.Next(); ok && !same; q, ok = other.Next() {
			if equalEscaped(p.Name, q.Name, true) {
				there = true
				same = equalEscaped(p.Value, q.Value, true)
			}
		}
		if !same && (there || decides(p.Name)) {
			return false
		}
	}
	return true
}

// equalHeaders compares "name=value&name=value" in any order: each has to be in both.
func equalHeaders(a, b []byte) bool {
	if tooMany(a, '&') || tooMany(b, '&') {
		return bytes.Equal(a, b)
	}
	return headersWithin(a, b) && headersWithin(b, a)
}

func headersWithin(a, b []byte) bool {
	for len(a) > 0 {
		var h []byte
		h, a, _ = bytes.Cut(a, []byte{'&'})
		name, value, _ := bytes.Cut(h, []byte{'='})
		found := false
		for rest := b; len(rest) > 0 && !found; {
			var o []byte
			o, rest, _ = bytes.Cut(rest, []byte{'&'})
			n, v, _ := bytes.Cut(o, []byte{'='})
			found = equalEscaped(name, n, true) && equalEscaped(value, v, false)
		}
		if !found {
			return false
		}
	}
	return true
}

func tooMany(b []byte, sep byte) bool { return bytes.Count(b, []byte{sep}) >= maxCompared }

// equalEscaped compares two parts of a URI. A byte and its escape are the same
// unless the byte is reserved (RFC 3261 section 19.1.4).
func equalEscaped(a, b []byte, fold bool) bool {
	for len(a) > 0 && len(b) > 0 {
		c, escC, n := unit(a)
		d, escD, k := unit(b)
		if fold {
			c, d = lower(c), lower(d)
		}
		if c != d || escC != escD && isReserved(c) {
			return false
		}
		a, b = a[n:], b[k:]
	}
	return len(a) == len(b)
}

// unit gives the byte that b begins with, whether it is escaped, and its length.
func unit(b []byte) (c byte, escaped bool, n int) {
	if isEscape(b) {
		return unhex(b[1])<<4 | unhex(b[2]), true, 3
	}
	return b[0], false, 1
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}

// isReserved tells the reserved bytes of RFC 3261 section 25.1.
func isReserved(c byte) bool { return strings.IndexByte(";/?:@&=+$,", c) >= 0 }

// equalNumbers compares telephone numbers without their visual separators.
func equalNumbers(a, b []byte) bool {
	for {
		for len(a) > 0 && isSeparator(a[0]) {
			a = a[1:]
		}
		for len(b) > 0 && isSeparator(b[0]) {
			b = b[1:]
		}
		if len(a) == 0 || len(b) == 0 {
			return len(a) == len(b)
		}
		if lower(a[0]) != lower(b[0]) {
			return false
		}
		a, b = a[1:], b[1:]
	}
}

// UnescapeURI appends b to dst with its escapes resolved: for a user or a value
// that is to be looked at, not for one that goes back into a URI.
func UnescapeURI(dst, b []byte) []byte {
	for len(b) > 0 {
		c, _, n := unit(b)
		dst = append(dst, c)
		b = b[n:]
	}
	return dst
}
