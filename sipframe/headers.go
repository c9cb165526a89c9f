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

// HeadersOffset gives the offset of the first header line.
func (m *Message) HeadersOffset() uint32 {
	if len(m.headers) > 0 {
		return m.headers[0].Line.Off
	}
	return m.HeadersEnd()
}

// HeadersEnd gives the offset of the empty line behind the headers.
func (m *Message) HeadersEnd() uint32 { return m.headersEnd }
