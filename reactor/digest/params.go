package digest

import (
	"bytes"
	"errors"
)

// ErrNotDigest: the header is of another scheme.
var ErrNotDigest = errors.New("digest: another scheme")

// ErrSyntax: the header cannot be read, or lacks what it must have.
var ErrSyntax = errors.New("digest: cannot be read")

// maxParams bounds the parameters of a header that are read.
const maxParams = 40

// eachParam calls f for each parameter of a header's value behind its scheme. Quotes are taken off; an escape stays as it
// is written, as what is hashed is what is written between the quotes (RFC 2617 3.2.2.5's "unq").
func eachParam(b []byte, f func(name, value []byte) bool) error {
	b = bytes.TrimLeft(b, " \t\r\n")
	const scheme = "Digest"
	if len(b) <= len(scheme) || !bytes.EqualFold(b[:len(scheme)], []byte(scheme)) || !space(b[len(scheme)]) {
		return ErrNotDigest
	}
	b = b[len(scheme):]
	for n := 0; ; n++ {
		b = bytes.TrimLeft(b, " \t\r\n,")
		if len(b) == 0 {
			return nil
		}
		eq := bytes.IndexByte(b, '=')
		if eq <= 0 || n == maxParams {
			return ErrSyntax
		}
		name := bytes.TrimRight(b[:eq], " \t\r\n")
		b = bytes.TrimLeft(b[eq+1:], " \t\r\n")
		var value []byte
		if len(b) > 0 && b[0] == '"' {
			end := quoteEnd(b)
			if end < 0 {
				return ErrSyntax
			}
			value, b = b[1:end], b[end+1:]
			b = bytes.TrimLeft(b, " \t\r\n")
			if len(b) > 0 && b[0] != ',' {
				return ErrSyntax
			}
		} else {
			end := bytes.IndexByte(b, ',')
			if end < 0 {
				end = len(b)
			}
			value, b = bytes.TrimRight(b[:end], " \t\r\n"), b[end:]
		}
		if !token(name) || !f(name, value) {
			return ErrSyntax
		}
	}
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// quoteEnd returns where the quoted string that b begins with ends, or -1.
func quoteEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

func token(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte(`"(),/:;<=>?@[\]{}`), c) >= 0 {
			return false
		}
	}
	return len(b) > 0
}

func is(name []byte, want string) bool {
	return len(name) == len(want) && bytes.EqualFold(name, []byte(want))
}
