package sipframe

import "bytes"

// NameAddr is the value of From, To, Contact, Route and their like: name-addr
// or addr-spec with parameters (RFC 3261 section 25.1). Its spans lie in the
// message, or in what ParseNameAddr was given.
type NameAddr struct {
	Span    Span // the value, without white space at its ends
	Display Span // display name, with its quotes if it has some; see Unquote
	URI     Span // what stands in <>, or the addr-spec
	Params  Span // header parameters, from behind the first semicolon
	Tag     Span // value of the tag parameter
	Angle   bool // the URI stands in <>
	Star    bool // the value is "*", as only Contact may have it
}

var (
	errNameAddr = badRequest("Bad Address")
	errDisplay  = badRequest("Bad Display Name")
	errQuotes   = badRequest("Unbalanced Quotes")
)

// ParseNameAddr parses b, which is one value, into a.
func ParseNameAddr(b []byte, a *NameAddr) error {
	*a = NameAddr{}
	if d := a.parse(b, Span{0, uint32(len(b))}); d != nil {
		return d
	}
	return nil
}

// parse reads the one value in s.
//
// Without <>, a semicolon begins the parameters of the header, not those of the
// URI (RFC 3261 section 20).
func (a *NameAddr) parse(b []byte, s Span) *Defect {
	a.Span = trimmed(b, int(s.Off), int(s.End()))
	i, end := int(a.Span.Off), int(a.Span.End())
	if end-i == 1 && b[i] == '*' {
		a.Star = true
		return nil
	}
	open := i
	if i < end && b[i] == '"' {
		if open = skipQuoted(b, i, end); open < 0 {
			return errQuotes
		}
		a.Display = span(i, open)
		if open = skipLWS(b, open, end); open == end || b[open] != '<' {
			return errNameAddr
		}
	} else {
		for open < end && b[open] != '<' && b[open] != ';' && b[open] != '"' {
			open++
		}
		if open == end || b[open] != '<' {
			return a.addrSpec(b, i, open, end)
		}
		a.Display = trimmed(b, i, open)
		if a.Display.Len > 0 && !all(a.Display.In(b), classDisplay) {
			return errDisplay
		}
	}
	a.Angle = true
	n := bytes.IndexByte(b[open:end], '>')
	if n < 0 {
		return errNameAddr
	}
	a.URI = span(open+1, open+n)
	if !isURI(a.URI.In(b)) {
		return errNameAddr
	}
	return a.params(b, skipLWS(b, open+n+1, end), end)
}

// addrSpec reads the form without <>, whose URI is b[i:stop]. A comma or a
// question mark may stand only in <>.
func (a *NameAddr) addrSpec(b []byte, i, stop, end int) *Defect {
	a.URI = trimmed(b, i, stop)
	if uri := a.URI.In(b); !isURI(uri) || bytes.IndexByte(uri, ',') >= 0 || bytes.IndexByte(uri, '?') >= 0 {
		return errNameAddr
	}
	return a.params(b, stop, end)
}

// params reads the parameters; i is at the first semicolon or at end.
func (a *NameAddr) params(b []byte, i, end int) *Defect {
	if i == end {
		return nil
	}
	if b[i] != ';' {
		return errNameAddr
	}
	a.Params = trimmed(b, i+1, end)
	at := int(a.Params.Off)
	it := Params(a.Params.In(b))
	for p, ok := it.Next(); ok; p, ok = it.Next() {
		if !IsToken(p.Name) || p.HasValue && !isParamValue(p.Value) {
			return errNameAddr
		}
		if a.Tag.Len == 0 && p.HasValue && len(p.Name) == 3 && EqualFold(p.Name, "tag") {
			to := at + int(p.Span.End())
			a.Tag = span(to-len(p.Value), to)
		}
	}
	return nil
}

// isParamValue tells whether b is a quoted string or has nothing in it that
// parts values or parameters.
func isParamValue(b []byte) bool {
	if len(b) > 0 && b[0] == '"' {
		return skipQuoted(b, 0, len(b)) == len(b)
	}
	for _, c := range b {
		if isLWS(c) || c == ',' || c == '<' || c == '>' || c == '"' {
			return false
		}
	}
	return len(b) > 0
}

// isURI tells whether b has a scheme, something behind it, and no byte that
// ends a URI. What the scheme makes of the rest is not looked at: To and From
// may hold any (RFC 4475 section 3.3.5).
func isURI(b []byte) bool {
	n := schemeLen(b)
	if n == 0 || n+1 == len(b) {
		return false
	}
	for _, c := range b[n+1:] {
		if c <= ' ' || c == '<' || c == '>' || c == '"' || c == 0x7f {
			return false
		}
	}
	return true
}
