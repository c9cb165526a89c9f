package mid_registrar

import (
	"strconv"
	"strings"
)

// kept is how a contact, or with mode 2 its address of record, stands at the main registrar. It is kept with the contact,
// as words with spaces between them, which no URI has.
type kept struct {
	until int64  // unix second until which it is registered there
	sent  string // URI of the Contact there
	uri   string // Request-URI of the REGISTER
	hop   string // where that went; "" by its URI
	to    string // URI of the address of record
}

const keptMark = "mid"

// text writes it.
func (k *kept) text() []byte {
	hop := k.hop
	if hop == "" {
		hop = "-"
	}
	return []byte(strings.Join([]string{keptMark, strconv.FormatInt(k.until, 10), k.sent, k.uri, hop, k.to}, " "))
}

// readKept reads what text wrote; the zero value if it is something else.
func readKept(s string) kept {
	f := strings.Split(s, " ")
	if len(f) != 6 || f[0] != keptMark {
		return kept{}
	}
	until, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return kept{}
	}
	k := kept{until: until, sent: f[2], uri: f[3], hop: f[4], to: f[5]}
	if k.hop == "-" {
		k.hop = ""
	}
	return k
}

// keptUntil reads only until when: 0 if it is not there.
func keptUntil(s string) int64 {
	rest, ok := strings.CutPrefix(s, keptMark+" ")
	if !ok {
		return 0
	}
	word, _, _ := strings.Cut(rest, " ")
	n, _ := strconv.ParseInt(word, 10, 64)
	return n
}
