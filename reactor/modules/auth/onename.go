package auth

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// appendOneName appends a user as all its names are written alike: databases find a user whatever the case of the name is,
// and with spaces behind it, many (MariaDB and MySQL by default) without its accents and with characters that show nothing
// between the others, and some by a name with its domain.
func appendOneName(dst, user []byte) []byte {
	user, _, _ = bytes.Cut(user, []byte("@"))
	if user = bytes.TrimRight(user, " "); isASCII(user) {
		for _, c := range user {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c >= ' ' && c != 0x7f {
				dst = append(dst, c)
			}
		}
		return dst
	}
	from := len(dst)
	var it norm.Iter
	for it.Init(norm.NFKD, user); !it.Done(); {
		for part := it.Next(); len(part) > 0; {
			r, n := utf8.DecodeRune(part)
			switch {
			case r == utf8.RuneError && n == 1: // no UTF-8: the byte as it is
				dst = append(dst, part[0])
			case unicode.In(r, unicode.M, unicode.Cc, unicode.Cf):
			default:
				dst = utf8.AppendRune(dst, base(unicode.ToLower(r)))
			}
			part = part[n:]
		}
	}
	return append(dst[:from], bytes.TrimRight(dst[from:], " ")...)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// base is the letter that databases take one with a stroke, or another form of it, for.
func base(r rune) rune {
	switch r {
	case 'ø':
		return 'o'
	case 'đ', 'ð':
		return 'd'
	case 'ħ':
		return 'h'
	case 'ı':
		return 'i'
	case 'ł':
		return 'l'
	case 'ŧ':
		return 't'
	case 'ß':
		return 's'
	case 'ς':
		return 'σ'
	default:
		return r
	}
}
