package sipframe

import "bytes"

// Scheme is the scheme of a URI.
type Scheme uint8

// The schemes. OtherScheme is any besides them.
const (
	OtherScheme Scheme = iota
	SchemeSIP
	SchemeSIPS
	SchemeTel
	SchemeURN // RFC 5031: emergency services
)

// String gives the name of the scheme, "" for OtherScheme.
func (s Scheme) String() string {
	switch s {
	case SchemeSIP:
		return "sip"
	case SchemeSIPS:
		return "sips"
	case SchemeTel:
		return "tel"
	case SchemeURN:
		return "urn"
	default:
		return ""
	}
}

// URI is a URI in parts. Its spans lie in what ParseURI was given. Escapes are
// left as they are.
type URI struct {
	Scheme     Scheme
	SchemeName Span
	User       Span // the number of a tel URI
	Password   Span
	Host       Span // IPv6 with its brackets
	HostPort   Span // host and port
	Port       int  // 1 to 65535; 0 if there is none
	Params     Span // from behind the first semicolon
	Headers    Span // from behind the question mark
	Opaque     Span // what stands behind the colon of any other scheme
}

var (
	errURI       = badRequest("Bad URI")
	errURIScheme = badRequest("Bad URI Scheme")
	errURIUser   = badRequest("Bad URI User")
	errURIHost   = badRequest("Bad URI Host")
	errURIPort   = badRequest("Bad URI Port")
	errURIParams = badRequest("Bad URI Parameters")
	errURIHeader = badRequest("Bad URI Headers")
)

// ParseURI takes b apart: SIP and SIPS URIs by RFC 3261 section 19.1.1, tel
// URIs by RFC 3966, any other absolute URI into scheme and rest. Two marks that
// are seen in the field and mean nothing else are accepted: "#" in a user and
// "_" in a host name; so are empty parameters. The error is a *Defect.
func ParseURI(b []byte, u *URI) error {
	*u = URI{}
	if d := u.parse(b); d != nil {
		return d
	}
	return nil
}

func (u *URI) parse(b []byte) *Defect {
	n := schemeLen(b)
	if n == 0 {
		return errURIScheme
	}
	u.SchemeName = span(0, n)
	u.Scheme = schemeOf(b[:n])
	switch u.Scheme {
	case SchemeSIP, SchemeSIPS:
		return u.parseSIP(b, n+1)
	case SchemeTel:
		return u.parseTel(b, n+1)
	default:
		u.Opaque = span(n+1, len(b))
		if !escaped(b[n+1:], classURI) {
			return errURI
		}
		return nil
	}
}

// schemeLen gives the length of the scheme that b begins with, 0 if none does.
func schemeLen(b []byte) int {
	for i, c := range b {
		switch {
		case isAlpha(c):
		case c == ':':
			return i
		case i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.':
			return 0
		}
	}
	return 0
}

func schemeOf(b []byte) Scheme {
	switch len(b) {
	case 3:
		switch {
		case EqualFold(b, "sip"):
			return SchemeSIP
		case EqualFold(b, "tel"):
			return SchemeTel
		case EqualFold(b, "urn"):
			return SchemeURN
		}
	case 4:
		if EqualFold(b, "sips") {
			return SchemeSIPS
		}
	}
	return OtherScheme
}

// parseSIP reads what stands behind "sip:". No part but the user info may hold
// an "@", while the user info may hold ";" and "?": so the "@" is looked for first.
func (u *URI) parseSIP(b []byte, i int) *Defect {
	if at := bytes.IndexByte(b[i:], '@'); at >= 0 {
		at += i
		user := at
		if colon := bytes.IndexByte(b[i:at], ':'); colon >= 0 {
			user = i + colon
			u.Password = span(user+1, at)
			if u.Password.Len > 0 && !escaped(b[user+1:at], classUser) {
				return errURIUser
			}
		}
		u.User = span(i, user)
		if !escaped(b[i:user], classUser) {
			return errURIUser
		}
		i = at + 1
	}
	host := i
	i = skipHost(b, i, len(b))
	u.Host = span(host, i)
	if u.Host.Len == 0 {
		return errURIHost
	}
	if i < len(b) && b[i] == ':' {
		from := i + 1
		i = from
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		port, ok := ParseUint(b[from:i], 65535)
		if !ok || port == 0 {
			return errURIPort
		}
		u.Port = int(port)
	}
	u.HostPort = span(host, i)
	if i < len(b) && b[i] == ';' {
		from := i + 1
		for i < len(b) && b[i] != '?' {
			i++
		}
		u.Params = span(from, i)
		if !paramBytes(b[from:i]) {
			return errURIParams
		}
	}
	if i == len(b) {
		return nil
	}
	if b[i] != '?' {
		return errURIHost
	}
	u.Headers = span(i+1, len(b))
	if !escaped(b[i+1:], classURI) {
		return errURIHeader
	}
	return nil
}

// parseTel reads what stands behind "tel:".
func (u *URI) parseTel(b []byte, i int) *Defect {
	end := len(b)
	if n := bytes.IndexByte(b[i:], ';'); n >= 0 {
		end = i + n
		u.Params = span(end+1, len(b))
		if !paramBytes(b[end+1:]) {
			return errURIParams
		}
	}
	u.User = span(i, end)
	digits := b[i:end]
	if len(digits) > 0 && digits[0] == '+' {
		digits = digits[1:]
	}
	for _, c := range digits {
		if class[c]&classHex == 0 && !isSeparator(c) && c != '*' && c != '#' {
			return errURIUser
		}
	}
	if len(digits) == 0 {
		return errURIUser
	}
	return nil
}

// isSeparator tells a visual separator of RFC 3966.
func isSeparator(c byte) bool { return c == '-' || c == '.' || c == '(' || c == ')' }

// paramBytes tells whether b could be URI parameters.
func paramBytes(b []byte) bool {
	for i, c := range b {
		switch {
		case class[c]&classParam != 0, c == ';', c == '=':
		case c == '%' && isEscape(b[i:]):
		default:
			return false
		}
	}
	return true
}

// escaped tells whether b is not empty and holds bytes of one class and escapes.
func escaped(b []byte, bits uint8) bool {
	for i, c := range b {
		if class[c]&bits == 0 && (c != '%' || !isEscape(b[i:])) {
			return false
		}
	}
	return len(b) > 0
}

// isEscape tells whether b begins with "%" and two hexadecimal digits.
func isEscape(b []byte) bool {
	return len(b) > 2 && b[0] == '%' && class[b[1]]&class[b[2]]&classHex != 0
}

// Param gives the value of a URI parameter, whatever the case of its name; ok
// tells whether there is one. b is what ParseURI was given.
func (u *URI) Param(b []byte, name string) (value []byte, ok bool) {
	return FindParam(u.Params.In(b), name)
}

// HasUser tells whether there is a user part.
func (u *URI) HasUser() bool { return u.User.Len > 0 }
