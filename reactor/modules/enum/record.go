package enum

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// target is a URI that was found, with its preference from 0 to 1000.
type target struct {
	uri string
	q   int
}

// targets gives the URIs of the records of a service, those of the lowest order and preference
// first. What is no URI, or of an expression that is none, is left out.
func targets(list []dns.RR, user, service, params string) (found []target) {
	var records []*dns.NAPTR
	for _, rr := range list {
		if n, ok := rr.(*dns.NAPTR); ok && strings.EqualFold(n.Flags, "u") && serves(n.Service, service) {
			records = append(records, n)
		}
	}
	slices.SortStableFunc(records, func(a, b *dns.NAPTR) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Preference, b.Preference))
	})
	q := 1000
	for i, n := range records {
		if i > 0 && (n.Order != records[i-1].Order || n.Preference != records[i-1].Preference) {
			q = max(q-10, 0)
		}
		var u sipframe.URI
		uri := substituted(plain(n.Regexp), user)
		if uri != "" && !strings.Contains(uri, "?") {
			uri += params
		}
		if sipframe.ParseURI([]byte(uri), &u) == nil && len(found) < proxy.MaxBranches {
			found = append(found, target{uri, q})
		}
	}
	return found
}

// serves tells whether a record's services have the one that is wanted: "" is sip, voice is
// voice:sip, and +sip+video:sip is one of several, where a record may have several, too.
func serves(services, wanted string) bool {
	offered, ok := strings.CutPrefix(strings.ToLower(services), "e2u+")
	if !ok {
		return false
	}
	wanted = strings.ToLower(wanted)
	several, ok := strings.CutPrefix(wanted, "+")
	switch {
	case wanted == "":
		return offered == "sip"
	case !ok:
		return offered == wanted+":sip"
	}
	for one := range strings.SplitSeq(offered, "+") {
		for w := range strings.SplitSeq(several, "+") {
			if one == w {
				return true
			}
		}
	}
	return false
}

// plain gives a text of a record as it was sent: package dns escapes it as a zone file has it.
func plain(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		if n, err := strconv.ParseUint(text[i:min(i+3, len(text))], 10, 8); err == nil && i+3 <= len(text) {
			out.WriteByte(byte(n))
			i += 2
			continue
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// maxExpression bounds an expression, which is anybody's who has a zone.
const maxExpression = 1024

// substituted applies a record's !expression!replacement!flags to a number; "" if that does not match.
func substituted(field, user string) string {
	if len(field) < 3 || len(field) > maxExpression {
		return ""
	}
	parts := strings.Split(field[1:], field[:1])
	if len(parts) != 3 || strings.Trim(parts[2], "iI") != "" {
		return ""
	}
	expression := parts[0]
	if parts[2] != "" {
		expression = "(?i)" + expression
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return ""
	}
	at := re.FindStringSubmatchIndex(user)
	if at == nil {
		return ""
	}
	var out strings.Builder
	text := parts[1]
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		if n := int(text[i] - '0'); text[i] >= '0' && n <= 9 {
			if 2*n+1 < len(at) && at[2*n] >= 0 {
				out.WriteString(user[at[2*n]:at[2*n+1]])
			}
			continue
		}
		out.WriteByte(text[i])
	}
	return out.String()
}
