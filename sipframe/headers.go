package sipframe

// NumHeaders tells how many header fields there are.
func (m *Message) NumHeaders() int { return len(m.headers) }

// Header gives header field i, from 0, in the order of the message. It panics
// if there is none. The result is valid until the next Parse.
func (m *Message) Header(i int) *Header { return &m.headers[i] }

// Find gives the index of the first header of that kind, -1 if there is none.
// It does not search.
func (m *Message) Find(kind HeaderKind) int { return int(m.first[kind]) - 1 }

// FindNext gives the index of the next header of that kind behind index after.
func (m *Message) FindNext(kind HeaderKind, after int) int {
	for i := after + 1; i < len(m.headers); i++ {
		if m.headers[i].Kind == kind {
			return i
		}
	}
	return -1
}

// FindName gives the index of the first header with that name, -1 if there is
// none. Case does not matter and compact forms are the same as long ones.
func (m *Message) FindName(name []byte) int {
	if k := HeaderKindOf(name); k != OtherHeader {
		return m.Find(k)
	}
	return m.findOther(name, 0)
}

// FindNameNext is FindName behind index after.
func (m *Message) FindNameNext(name []byte, after int) int {
	if k := HeaderKindOf(name); k != OtherHeader {
		return m.FindNext(k, after)
	}
	return m.findOther(name, after+1)
}

func (m *Message) findOther(name []byte, from int) int {
	if m.first[OtherHeader] == 0 {
		return -1
	}
	for i := max(from, int(m.first[OtherHeader])-1); i < len(m.headers); i++ {
		h := &m.headers[i]
		if h.Kind == OtherHeader && EqualFoldBytes(m.Bytes(h.Name), name) {
			return i
		}
	}
	return -1
}

// Value gives the value of the first header of that kind, nil if there is none.
func (m *Message) Value(kind HeaderKind) []byte {
	if i := m.Find(kind); i >= 0 {
		return m.Bytes(m.headers[i].Value)
	}
	return nil
}

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

// Contact parses the first Contact value into a. It is ErrNone when there is none.
func (m *Message) Contact(a *NameAddr) error {
	it := m.Values(HeaderContact)
	v, ok := it.Next()
	if !ok {
		return ErrNone
	}
	return m.NameAddr(v, a)
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

type cseq struct {
	number uint32
	method Span
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

func (c *cseq) parse(b []byte, s Span) *Defect {
	i, end := int(s.Off), int(s.End())
	from := i
	for i < end && isDigit(b[i]) {
		i++
	}
	n, ok := ParseUint(b[from:i], 1<<32-1)
	method := skipLWS(b, i, end)
	if !ok || method == i || !IsToken(b[method:end]) {
		return errCSeq
	}
	c.number, c.method = uint32(n), span(method, end)
	return nil
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

var (
	errNoVia       = badRequest("Missing Via")
	errNoFrom      = badRequest("Missing From")
	errNoTo        = badRequest("Missing To")
	errNoCSeq      = badRequest("Missing CSeq")
	errNoCallID    = badRequest("Missing Call-ID")
	errCSeq        = badRequest("Bad CSeq")
	errMaxForwards = badRequest("Bad Max-Forwards")
)

// HeadersOffset gives the offset of the first header line.
func (m *Message) HeadersOffset() uint32 {
	if len(m.headers) > 0 {
		return m.headers[0].Line.Off
	}
	return m.HeadersEnd()
}

// HeadersEnd gives the offset of the empty line behind the headers.
func (m *Message) HeadersEnd() uint32 { return m.headersEnd }
