package sipframe

// Via is one Via value (RFC 3261 section 20.42). Its spans lie in the message,
// or in what ParseVia was given.
type Via struct {
	Span      Span // the value, without white space at its ends
	Transport Span // "UDP", "TLS", ...; any case
	Host      Span // IPv6 with its brackets
	SentBy    Span // host and port
	Port      int  // 1 to 65535; 0 if there is none
	Params    Span // from behind the first semicolon to the end
	Branch    Span
	Received  Span
	RPort     Span // "rport" or "rport=5061" as a whole
	// RPortValue is empty when rport stands without a value: a client asks
	// for it to be filled in (RFC 3581).
	RPortValue Span
	HasRPort   bool
	Alias      bool // RFC 5923
	// LastOnLine tells that no other value follows in the same header.
	LastOnLine bool
}

var (
	errVia       = badRequest("Bad Via")
	errViaParams = badRequest("Bad Via Parameters")
)

// ParseVia parses the first value in b.
func ParseVia(b []byte, v *Via) error {
	*v = Via{}
	if d := v.parse(b, Span{0, uint32(len(b))}); d != nil {
		return d
	}
	return nil
}

// HasCookie tells whether the branch is one that RFC 3261 section 8.1.1.7
// makes unique: "z9hG4bK" and something behind it.
func (v *Via) HasCookie(b []byte) bool {
	const cookie = "z9hG4bK"
	br := v.Branch.In(b)
	return len(br) > len(cookie) && EqualFold(br[:len(cookie)], cookie)
}

// parse reads the first value in s. If the host is set, a response can be sent
// by it, even when there is a defect.
func (v *Via) parse(b []byte, s Span) *Defect {
	i, end := int(s.Off), int(s.End())
	from := skipLWS(b, i, end)
	i = from
	// sent-protocol = name SLASH version SLASH transport, white space anywhere
	for part := range 3 {
		word := skipLWS(b, i, end)
		i = skipToken(b, word, end)
		if i == word {
			return errVia
		}
		if part == 2 {
			v.Transport = span(word, i)
			break
		}
		i = skipLWS(b, i, end)
		if i == end || b[i] != '/' {
			return errVia
		}
		i++
	}
	host := skipLWS(b, i, end)
	if host == i {
		return errVia
	}
	i = skipHost(b, host, end)
	if i <= host {
		return errVia
	}
	h := span(host, i)
	if j := skipLWS(b, i, end); j < end && b[j] == ':' {
		j = skipLWS(b, j+1, end)
		k := j
		for k < end && isDigit(b[k]) {
			k++
		}
		port, ok := ParseUint(b[j:k], 65535)
		if !ok || port == 0 {
			return errVia
		}
		v.Port = int(port)
		i = k
	}
	sentBy := span(host, i)
	i = skipLWS(b, i, end)
	if i < end && b[i] != ';' && b[i] != ',' && b[i] != '(' {
		return errVia
	}
	v.Host, v.SentBy = h, sentBy
	return v.parseParams(b, from, i, end)
}

// parseParams reads the parameters; i is behind sent-by.
func (v *Via) parseParams(b []byte, from, i, end int) *Defect {
	var d *Defect
	params, stop := -1, i // stop: behind the last byte of the value
	for i < end && b[i] == ';' {
		if params < 0 {
			params = i + 1
		}
		name := skipLWS(b, i+1, end)
		i = skipToken(b, name, end)
		n := span(name, i)
		if n.Len == 0 {
			d = errViaParams
		}
		stop = max(i, name)
		i = skipLWS(b, i, end)
		value, has := Span{}, false
		if i < end && b[i] == '=' {
			has = true
			i = skipLWS(b, i+1, end)
			at := i
			if i = skipValue(b, i, end); i == at {
				d = errViaParams
			}
			value = span(at, i)
			stop = i
			i = skipLWS(b, i, end)
		}
		v.keep(b, n, value, has)
	}
	if i < end && b[i] == '(' {
		i = skipComment(b, i, end)
		stop = i
		i = skipLWS(b, i, end)
	}
	if i < end && b[i] != ',' {
		d = errViaParams
		i = valueEnd(b, i, end)
		stop = i
	}
	if params < 0 {
		params = stop
	}
	v.Params = trimmed(b, min(params, stop), stop)
	v.Span = trimmed(b, from, stop)
	v.LastOnLine = i >= end
	return d
}

// keep notes the parameters that a proxy needs. The first of a name counts.
func (v *Via) keep(b []byte, name, value Span, has bool) {
	n := name.In(b)
	switch len(n) {
	case 5:
		switch {
		case EqualFold(n, "rport"):
			if !v.HasRPort {
				v.HasRPort, v.RPortValue = true, value
				v.RPort = name
				if has {
					v.RPort = span(int(name.Off), int(value.End()))
				}
			}
		case EqualFold(n, "alias"):
			v.Alias = true
		}
	case 6:
		if v.Branch.Len == 0 && EqualFold(n, "branch") {
			v.Branch = value
		}
	case 8:
		if v.Received.Len == 0 && EqualFold(n, "received") {
			v.Received = value
		}
	}
}

// skipHost gives the offset behind the host at i, i itself if there is none.
func skipHost(b []byte, i, end int) int {
	if i < end && b[i] == '[' {
		for j := i + 1; j < end; j++ {
			switch c := b[j]; {
			case c == ']':
				if j == i+1 {
					return i
				}
				return j + 1
			case class[c]&classHex == 0 && c != ':' && c != '.':
				return i
			}
		}
		return i
	}
	for i < end && class[b[i]]&classHost != 0 {
		i++
	}
	return i
}

// skipValue gives the offset behind a gen-value: token, host or quoted string.
func skipValue(b []byte, i, end int) int {
	if i < end && b[i] == '"' {
		if j := skipQuoted(b, i, end); j > 0 {
			return j
		}
		return i
	}
	for i < end && (class[b[i]]&classToken != 0 || b[i] == '[' || b[i] == ']' || b[i] == ':') {
		i++
	}
	return i
}

// skipComment gives the offset behind the comment at i, end if it is not closed.
func skipComment(b []byte, i, end int) int {
	depth := 0
	for ; i < end; i++ {
		switch b[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return end
}
