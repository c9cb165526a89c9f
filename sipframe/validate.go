package sipframe

// Verdict is what a proxy has to do about a message before it looks at where
// the message goes. It can be used again and again.
type Verdict struct {
	// Code is 0 for a message that is in order; else the status that a
	// request is answered with: 400, 416, 420 or 505.
	Code   int
	Reason string
	// Drop tells that there must be no response, as the message is a response or
	// an ACK, or that there can be none, as it has no Via. One that cannot be
	// read is no reason: the response goes to where the request came from.
	// It is set only with Code.
	Drop bool
	// NoHops tells that Max-Forwards is 0. Who would forward the request
	// answers 483; who is the target itself may answer as it likes
	// (RFC 3261 section 16.3 step 3). Code says nothing about it.
	NoHops bool
	// Unsupported is the value of Unsupported to send with a 420.
	Unsupported []byte
}

// TooManyHops is the reason phrase for a request with NoHops that is to be forwarded.
const TooManyHops = "Too Many Hops"

// set keeps the first finding.
func (v *Verdict) set(code int, reason string) {
	if v.Code == 0 {
		v.Code, v.Reason = code, reason
	}
}

// Validate makes the checks of RFC 3261 section 16.3, steps 1 to 3 and 5, for a
// message that Parse has seen, with or without an error. It does not look for
// loops (step 4), nor at credentials (step 6). It is strict with what decides
// where a message goes and to which transaction it belongs; it does not judge
// headers that a proxy has no business with.
func (m *Message) Validate(v *Verdict) {
	*v = Verdict{Unsupported: v.Unsupported[:0]}
	if m.start.version == versionOther {
		v.set(505, "Version Not Supported")
	}
	if m.broken {
		v.set(m.defect.Code, m.defect.Reason)
	}
	_, err := m.TopVia()
	v.check(err)
	m.checkSingle(v)
	m.checkVias(v)
	if len(m.CallID()) == 0 {
		v.check(errNoCallID)
	}
	_, method, err := m.CSeq()
	v.check(err)
	_, err = m.From()
	v.check(err)
	_, err = m.To()
	v.check(err)
	if !m.start.request {
		v.Drop = v.Code != 0
		return
	}
	if method != nil && string(method) != string(m.MethodName()) {
		v.check(errMethodMismatch)
	}
	m.checkURI(v)
	n, present, err := m.MaxForwards()
	v.check(err)
	v.NoHops = present && err == nil && n == 0
	if v.Code == 0 && m.start.method != ACK && m.start.method != CANCEL {
		m.checkProxyRequire(v)
	}
	v.Drop = v.Code != 0 && (m.Find(HeaderVia) < 0 || m.start.method == ACK)
}

var (
	errMethodMismatch = badRequest("CSeq Method Mismatch")
	errManyVias       = badRequest("Too Many Vias")
	errEscapedHeaders = badRequest("Headers in Request-URI")
)

func (v *Verdict) check(err error) {
	if d, ok := err.(*Defect); ok {
		v.set(d.Code, d.Reason)
	}
}

// singles are the headers that must not be repeated (RFC 3261 section 7.3.1).
var singles = [...]struct {
	kind   HeaderKind
	defect *Defect
}{
	{HeaderFrom, badRequest("Repeated From")},
	{HeaderTo, badRequest("Repeated To")},
	{HeaderCallID, badRequest("Repeated Call-ID")},
	{HeaderCSeq, badRequest("Repeated CSeq")},
	{HeaderMaxForwards, badRequest("Repeated Max-Forwards")},
}

func (m *Message) checkSingle(v *Verdict) {
	for i := range singles {
		s := &singles[i]
		if at := m.Find(s.kind); at >= 0 && m.FindNext(s.kind, at) >= 0 {
			v.check(s.defect)
		}
	}
}

// shortVia is the length of the shortest Via and its comma: "a/b/c d,".
const shortVia = 8

// checkVias counts the values of Via: each hop adds one, and looks at all of them.
func (m *Message) checkVias(v *Verdict) {
	limit := m.Limits.Vias
	if limit <= 0 {
		limit = MaxVias
	}
	if int(m.headersEnd) < shortVia*limit {
		return
	}
	it := m.Values(HeaderVia)
	for n := 0; ; n++ {
		if _, ok := it.Next(); !ok {
			return
		}
		if n == limit {
			v.check(errManyVias)
			return
		}
	}
}

// checkURI looks at the Request-URI (RFC 3261 section 16.3 steps 1 and 2).
func (m *Message) checkURI(v *Verdict) {
	u, err := m.URI()
	if err != nil {
		v.check(err)
		return
	}
	if u.Headers.Len > 0 {
		v.check(errEscapedHeaders)
	}
	if u.Scheme == OtherScheme {
		v.set(416, "Unsupported URI Scheme")
	}
}

// checkProxyRequire lists what Proxy-Require asks for: this proxy has no
// extensions (RFC 3261 section 16.3 step 5).
func (m *Message) checkProxyRequire(v *Verdict) {
	it := m.Values(HeaderProxyRequire)
	for s, ok := it.Next(); ok; s, ok = it.Next() {
		if len(v.Unsupported) > 0 {
			v.Unsupported = append(v.Unsupported, ", "...)
		}
		v.Unsupported = append(v.Unsupported, m.Bytes(s)...)
		v.set(420, "Bad Extension")
	}
}
