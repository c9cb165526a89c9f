package tlsstate

import (
	"crypto/tls"
	"fmt"
	"strings"
)

// methods are the names of tls_method with the versions they stand for.
var methods = map[string]uint16{
	"TLSV1":   tls.VersionTLS10,
	"TLSV1_1": tls.VersionTLS11,
	"TLSV1_2": tls.VersionTLS12,
	"TLSV1_3": tls.VersionTLS13,
}

const methodNames = "TLSv1, TLSv1_1, TLSv1_2, TLSv1_3, TLSany, SSLv23, or a range of them such as TLSv1_2-TLSv1_3"

// ParseMethod reads the value of tls_method: a version, TLSany or SSLv23 for
// every version from 1.2 on, or a range "low-high" that may be open at either
// end. Names are compared without case. TLS 1.0 and 1.1 are used only when they
// are named. "" is TLSany.
func ParseMethod(s string) (low, high uint16, err error) {
	low, high = tls.VersionTLS12, tls.VersionTLS13
	name := strings.ToUpper(strings.TrimSpace(s))
	switch name {
	case "", "TLSANY", "SSLV23":
		return low, high, nil
	}
	from, to, ranged := strings.Cut(name, "-")
	if !ranged {
		v, ok := methods[name]
		if !ok {
			return 0, 0, fmt.Errorf("tls_method %q is none of %s", s, methodNames)
		}
		return v, v, nil
	}
	for _, end := range []struct {
		name string
		set  *uint16
	}{{strings.TrimSpace(from), &low}, {strings.TrimSpace(to), &high}} {
		if end.name == "" {
			continue
		}
		v, ok := methods[end.name]
		if !ok {
			return 0, 0, fmt.Errorf("tls_method %q: %q is none of %s", s, end.name, methodNames)
		}
		*end.set = v
	}
	if from == "" {
		low = min(low, high)
	}
	if low > high {
		return 0, 0, fmt.Errorf("tls_method %q: the range ends before it begins", s)
	}
	return low, high, nil
}
