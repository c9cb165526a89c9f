package sipframe

import (
	"encoding/binary"
	"math/bits"
)

// Classes of bytes, after the grammar of RFC 3261 section 25.1.
const (
	classToken   = 1 << iota // token
	classUser                // user and password, without "%"
	classHost                // hostname, and "_", which names in the field have
	classParam               // pname and pvalue of a URI, without "%"
	classURI                 // uric, without "%"
	classHex                 // HEXDIG
	classDisplay             // display name without quotes; see displayBytes
)

// displayBytes are accepted in a display name without quotes besides those of
// a token: they are no tokens, but they structure nothing either.
const displayBytes = "()/@?=[]{}&$#^|"

var class = func() (t [256]uint8) {
	set := func(bits uint8, s string) {
		for i := range len(s) {
			t[s[i]] |= bits
		}
	}
	const (
		alpha = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		digit = "0123456789"
		mark  = "-_.!~*'()"
	)
	set(classToken|classUser|classHost|classParam|classURI|classDisplay, alpha+digit)
	set(classToken|classDisplay, "-.!%*_+`'~")
	set(classDisplay, " \t\r\n")
	set(classUser|classParam|classURI, mark)
	set(classUser, "&=+$,;?/#")
	set(classHost, "-._")
	set(classParam, "[]/:&+$")
	set(classURI, ";/?:@&=+$,#[]")
	set(classHex, "0123456789abcdefABCDEF")
	set(classDisplay, displayBytes)
	for c := 0x80; c < 0x100; c++ {
		t[c] |= classDisplay
	}
	return t
}()

// lwsBits has a bit for SP, HT, CR and LF each. Inside a value, a CR or LF can
// only be part of a fold.
const lwsBits uint64 = 1<<' ' | 1<<'\t' | 1<<'\r' | 1<<'\n'

func isLWS(c byte) bool   { return c <= ' ' && lwsBits>>c&1 != 0 }
func isDigit(c byte) bool { return c-'0' < 10 }
func isAlpha(c byte) bool { return (c|0x20)-'a' < 26 }
func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// all tells whether b is not empty and of one class throughout.
func all(b []byte, bits uint8) bool {
	for _, c := range b {
		if class[c]&bits == 0 {
			return false
		}
	}
	return len(b) > 0
}

// IsToken tells whether b is a token (RFC 3261 section 25.1).
func IsToken(b []byte) bool { return all(b, classToken) }

func lower(c byte) byte {
	if c-'A' < 26 {
		return c | 0x20
	}
	return c
}

// EqualFold tells whether b and s are equal but for the case of ASCII letters.
func EqualFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if c != s[i] && lower(c) != lower(s[i]) {
			return false
		}
	}
	return true
}

// EqualFoldBytes is EqualFold for two slices.
func EqualFoldBytes(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if c != b[i] && lower(c) != lower(b[i]) {
			return false
		}
	}
	return true
}

// ParseUint reads b as a decimal number of at most max; no sign, no white
// space, at least one digit. ok is false for anything else.
func ParseUint(b []byte, max uint64) (n uint64, ok bool) {
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || d > max || n > (max-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}

// skipLWS gives the offset of the first byte from i on, and before end, that is
// no white space.
func skipLWS(b []byte, i, end int) int {
	for i < end && isLWS(b[i]) {
		i++
	}
	return i
}

// skipToken gives the offset behind the token that starts at i.
func skipToken(b []byte, i, end int) int {
	for i < end && class[b[i]]&classToken != 0 {
		i++
	}
	return i
}

// skipQuoted gives the offset behind the quoted string that opens at i, -1 if
// it does not end before end.
func skipQuoted(b []byte, i, end int) int {
	for i++; i < end; i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// indexColon gives the offset of the first colon, len(b) if there is none.
func indexColon(b []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(b[i:]) ^ ones*':'
		if m := (w - ones) &^ w & highs; m != 0 { // the lowest mark is exact
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(b); i++ {
		if b[i] == ':' {
			return i
		}
	}
	return i
}

// countControls counts the bytes below SP, and DEL.
func countControls(b []byte) (n int) {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
		lows  = ^uint64(highs)
	)
	for ; len(b) >= 8; b = b[8:] {
		// Each byte's high bit is exact: no byte borrows from the next one or
		// carries into it.
		w := binary.LittleEndian.Uint64(b)
		below := ^((w | highs) - ones*' ')
		del := w&lows + ones
		n += bits.OnesCount64((below | del) &^ w & highs)
	}
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			n++
		}
	}
	return n
}
