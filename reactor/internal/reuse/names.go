package reuse

import (
	"strings"

	"sipreactor/tlsstate"
)

// maxNames bounds what a connection remembers of names.
const maxNames = 8

// names are SIP domains that were looked for in a peer's certificate: it is read once
// for each of the last few.
type names []looked

type looked struct {
	name string
	yes  bool
}

// has reports whether the certificate names a SIP domain. It is always the same one.
func (n *names) has(shown *tlsstate.State, name string) bool {
	for i := range *n {
		if (*n)[i].name == name {
			return (*n)[i].yes
		}
	}
	l := looked{name, shown.SpeaksFor(name)}
	if len(*n) >= maxNames {
		*n = append((*n)[:0], (*n)[1:]...)
	}
	*n = append(*n, l)
	return l.yes
}

// PlainName writes a SIP domain as they are compared: without case, an address
// without brackets, a name without the dot of the root.
func PlainName(s string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(s, "[]"), "."))
}
