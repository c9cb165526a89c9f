package sipframe

// startLine is the first line of a message in parts.
type startLine struct {
	line    Span // without the line end
	request bool
	method  Method
	code    int
	word    Span // method of a request, version of a response
	target  Span // Request-URI; status code of a response
	rest    Span // version of a request, reason phrase of a response
	version versionState
}

type versionState uint8

const (
	versionOK      versionState = iota // SIP/2.0
	versionOther                       // SIP/ with another number
	versionUnknown                     // no version of SIP
)

var (
	errStartLine   = badRequest("Bad Request-Line")
	errStatusLine  = badRequest("Bad Status-Line")
	errNoVersion   = badRequest("Bad SIP Version")
	errBadMethod   = badRequest("Bad Method")
	errStatusCode  = badRequest("Bad Status Code")
	errFoldedStart = badRequest("Folded Start Line")
)

// parse takes the first line apart: b[:end], without the line end. It finds as
// much as it can when it reports a defect, so that a response can be built.
//
// RFC 3261 section 7.1 wants exactly one space at each place and none at the
// end. A proxy must not hand on what does not keep to that (RFC 4475 sections
// 3.1.2.8 to 3.1.2.10), so it is a defect.
func (s *startLine) parse(b []byte, end int) *Defect {
	*s = startLine{line: span(0, end)}
	i := 0
	for i < end && b[i] != ' ' {
		i++
	}
	s.word = span(0, i)
	if isVersion(b[:i]) {
		return s.parseStatus(b, i, end)
	}
	s.request = true
	s.method = MethodOf(b[:i])
	to := end
	for to > i && isBlank(b[to-1]) {
		to--
	}
	v := to
	for v > i && b[v-1] != ' ' {
		v--
	}
	if v == i || !isVersion(b[v:to]) {
		s.version = versionUnknown
		s.target = trimmed(b, i, to)
		return errNoVersion
	}
	s.rest = span(v, to)
	s.version = versionOf(b[v:to])
	s.target = trimmed(b, i, v)
	switch {
	case s.version == versionUnknown:
		return errNoVersion
	case !IsToken(b[:i]):
		return errBadMethod
	case to != end || s.target.Len == 0 || int(s.target.Off) != i+1 || int(s.target.End()) != v-1:
		return errStartLine
	}
	return nil
}

// parseStatus is parse for a response; i is the offset behind its version.
func (s *startLine) parseStatus(b []byte, i, end int) *Defect {
	s.version = versionOf(b[:i])
	switch {
	case s.version == versionUnknown:
		return errNoVersion
	case i == end:
		return errStatusLine
	}
	from := i + 1
	i = from
	for i < end && b[i] != ' ' {
		i++
	}
	s.target = span(from, i)
	s.rest = span(min(i+1, end), end)
	code, ok := ParseUint(b[from:i], 699)
	if !ok || i-from != 3 || code < 100 {
		return errStatusCode
	}
	s.code = int(code)
	return nil // the space before an empty reason phrase is often missing
}

// isVersion tells whether b begins as a SIP-Version does. The word is not
// case-sensitive (RFC 3261 section 7.1).
func isVersion(b []byte) bool {
	return len(b) > 4 && b[3] == '/' && b[0]|0x20 == 's' && b[1]|0x20 == 'i' && b[2]|0x20 == 'p' && isDigit(b[4])
}

func versionOf(b []byte) versionState {
	if len(b) == 7 && b[4] == '2' && b[5] == '.' && b[6] == '0' {
		return versionOK
	}
	dots := 0
	for i, c := range b[4:] {
		if c == '.' && i > 0 && i < len(b)-5 {
			dots++
		} else if !isDigit(c) {
			return versionUnknown
		}
	}
	if dots != 1 {
		return versionUnknown
	}
	return versionOther
}
