package tlsstate

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// groups are the key exchanges that can be had, by OpenSSL's names and by those
// of the standards. P-521 is left out: it costs milliseconds, and a peer may
// choose it.
var groups = map[string]tls.CurveID{
	"x25519mlkem768": tls.X25519MLKEM768,
	"x25519":         tls.X25519,
	"p-256":          tls.CurveP256,
	"prime256v1":     tls.CurveP256,
	"secp256r1":      tls.CurveP256,
	"p-384":          tls.CurveP384,
	"secp384r1":      tls.CurveP384,
}

const groupNames = "X25519MLKEM768, X25519, P-256 (prime256v1, secp256r1), P-384 (secp384r1)"

var defaultGroups = []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384}

// ParseCurves reads the value of ec_curve: one name or several with ":"
// between them, of OpenSSL or of the standards, compared without case. "" and
// "auto" are all that can be had. The order does not matter: crypto/tls has its
// own.
func ParseCurves(s string) ([]tls.CurveID, error) {
	s = strings.TrimSpace(s)
	if s == "" || strings.EqualFold(s, "auto") {
		return defaultGroups, nil
	}
	var list []tls.CurveID
	for name := range strings.SplitSeq(s, ":") {
		id, ok := groups[strings.ToLower(strings.TrimSpace(name))]
		if !ok {
			return nil, fmt.Errorf("ec_curve %q is not supported; there are %s", name, groupNames)
		}
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list, nil
}

// prefersP256 tells whether a server that has groups and speaks versions up to
// highest should take P-256 with a client. Before TLS 1.3 the client's order
// decides between those that both have, and most begin with X25519, which costs
// crypto/tls half as much again as P-256: it is passed over for a client that
// likes P-256 next best. In TLS 1.3 clients have made their choice before we hear
// of them.
func prefersP256(groups []tls.CurveID, highest uint16, hello *tls.ClientHelloInfo) bool {
	if highest >= tls.VersionTLS13 && slices.Contains(hello.SupportedVersions, tls.VersionTLS13) {
		return false
	}
	for _, g := range hello.SupportedCurves {
		switch {
		case g == tls.CurveP256 && slices.Contains(groups, g):
			return true
		case g == tls.X25519, g == tls.X25519MLKEM768, !slices.Contains(groups, g):
		default:
			return false
		}
	}
	return false
}

// withoutX25519 gives the groups for whom prefersP256 tells of.
func withoutX25519(groups []tls.CurveID) []tls.CurveID {
	return slices.DeleteFunc(slices.Clone(groups), func(g tls.CurveID) bool { return g == tls.X25519 })
}
