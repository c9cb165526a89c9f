package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// visible gives text as it may go to a terminal: what is not printable, line ends among it, as an escape of Go's. Names
// in certificates, and much else that management commands tell, are a peer's words.
func visible(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, part := range strings.SplitAfter(s, "\\") { // a backslash stays one
		quoted := strconv.Quote(strings.TrimSuffix(part, "\\"))
		b.WriteString(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`))
		if strings.HasSuffix(part, "\\") {
			b.WriteByte('\\')
		}
	}
	return b.String()
}

// hidden tells whether a character is not printable.
func hidden(r rune) bool { return !unicode.IsPrint(r) }

// visibleJSON gives JSON with the same meaning in which all that is not printable is escaped.
func visibleJSON(text []byte) string {
	var b strings.Builder
	for _, r := range string(text) {
		if !hidden(r) || r == '\n' || r == '\t' || r == '\r' {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, u)
		}
	}
	return b.String()
}
