package sipframe

// The values that a Message keeps once they have been parsed: bits of
// Message.done and indexes into Message.errs.
const (
	cachedVia = iota
	cachedFrom
	cachedTo
	cachedCSeq
	cachedURI
	cachedContact
	numCached
)

var (
	errNoVia       = badRequest("Missing Via")
	errNoFrom      = badRequest("Missing From")
	errNoTo        = badRequest("Missing To")
	errNoCSeq      = badRequest("Missing CSeq")
	errNoCallID    = badRequest("Missing Call-ID")
	errNoContact   = badRequest("Missing Contact")
	errMaxForwards = badRequest("Bad Max-Forwards")
)

// CallID gives the value of Call-ID, nil if there is none.
func (m *Message) CallID() []byte { return m.Value(HeaderCallID) }

// TopVia gives the first Via value. It is not nil when a response could be sent
// by it, even if the error says that something about it is wrong.
func (m *Message) TopVia() (*Via, error) {
	if m.done&(1<<cachedVia) == 0 {
		m.done |= 1 << cachedVia
		m.via = Via{}
		m.errs[cachedVia] = errNoVia
		if i := m.Find(HeaderVia); i >= 0 {
			m.errs[cachedVia] = m.via.parse(m.raw, m.headers[i].Value)
		}
	}
	if err := m.errs[cachedVia]; err != nil {
		if m.via.Host.Len == 0 {
			return nil, err
		}
		return &m.via, err
	}
	return &m.via, nil
}

// From gives the value of From. The result is nil when there is an error.
func (m *Message) From() (*NameAddr, error) {
	return m.nameAddr(HeaderFrom, cachedFrom, &m.from, errNoFrom)
}

// To gives the value of To. The result is nil when there is an error.
func (m *Message) To() (*NameAddr, error) {
	return m.nameAddr(HeaderTo, cachedTo, &m.to, errNoTo)
}

func (m *Message) nameAddr(kind HeaderKind, slot int, a *NameAddr, missing *Defect) (*NameAddr, error) {
	if m.done&(1<<slot) == 0 {
		m.done |= 1 << slot
		*a = NameAddr{}
		m.errs[slot] = missing
		if i := m.Find(kind); i >= 0 {
			m.errs[slot] = a.parse(m.raw, m.headers[i].Value)
		}
	}
	if err := m.errs[slot]; err != nil {
		return nil, err
	}
	return a, nil
}

// Contact gives the first value of Contact. The result is nil when there is an
// error.
func (m *Message) Contact() (*NameAddr, error) {
	if m.done&(1<<cachedContact) == 0 {
		m.done |= 1 << cachedContact
		m.contact = NameAddr{}
		m.errs[cachedContact] = errNoContact
		it := m.Values(HeaderContact)
		if v, ok := it.Next(); ok {
			m.errs[cachedContact] = m.contact.parse(m.raw, v)
		}
	}
	if err := m.errs[cachedContact]; err != nil {
		return nil, err
	}
	return &m.contact, nil
}

// NameAddr parses a value, such as ValueIter gives, into a. The spans of a lie
// in the message.
func (m *Message) NameAddr(v Span, a *NameAddr) error {
	*a = NameAddr{}
	if d := a.parse(m.raw, v); d != nil {
		return d
	}
	return nil
}

// ViaAt parses a Via value, such as ValueIter gives, into v. The spans of v lie
// in the message.
func (m *Message) ViaAt(s Span, v *Via) error {
	*v = Via{}
	if d := v.parse(m.raw, s); d != nil {
		return d
	}
	return nil
}

// URI gives the Request-URI in parts. Its spans lie in RequestURI. The result is
// nil when there is an error.
func (m *Message) URI() (*URI, error) {
	if m.done&(1<<cachedURI) == 0 {
		m.done |= 1 << cachedURI
		m.uri = URI{}
		m.errs[cachedURI] = m.uri.parse(m.RequestURI())
	}
	if d := m.errs[cachedURI]; d != nil {
		return nil, d
	}
	return &m.uri, nil
}

// CSeq gives the sequence number and the method of CSeq (RFC 3261 section 20.16).
func (m *Message) CSeq() (number uint32, method []byte, err error) {
	if m.done&(1<<cachedCSeq) == 0 {
		m.done |= 1 << cachedCSeq
		m.cseq = cseq{}
		m.errs[cachedCSeq] = errNoCSeq
		if i := m.Find(HeaderCSeq); i >= 0 {
			m.errs[cachedCSeq] = m.cseq.parse(m.raw, m.headers[i].Value)
		}
	}
	if d := m.errs[cachedCSeq]; d != nil {
		return 0, nil, d
	}
	return m.cseq.number, m.Bytes(m.cseq.method), nil
}

// MaxForwards gives the value of Max-Forwards, 0 to 255 (RFC 3261 section 20.22).
func (m *Message) MaxForwards() (n int, present bool, err error) {
	i := m.Find(HeaderMaxForwards)
	if i < 0 {
		return 0, false, nil
	}
	v, ok := ParseUint(m.Bytes(m.headers[i].Value), 255)
	if !ok {
		return 0, true, errMaxForwards
	}
	return int(v), true, nil
}

// ContentLength gives the value of Content-Length in bytes. Several that agree
// are one.
func (m *Message) ContentLength() (n int, present bool, err error) {
	if m.length.err != nil {
		return 0, true, m.length.err
	}
	return m.length.n, m.length.present, nil
}
