package sipframe

var crByte, lfByte = []byte{'\r'}, []byte{'\n'}

// checkControls looks for control characters where RFC 3261 25.1 has none: outside
// of quoted strings, where a backslash may stand before any but CR and LF.
func (m *Message) checkControls() {
	if hasControl(m.start.line.In(m.raw), false) {
		m.note(errControlFirst)
	}
	for i := range m.headers {
		h := &m.headers[i]
		if hasControl(m.Bytes(h.Line), h.Kind != HeaderVia && h.Kind != HeaderCallID && h.Kind != HeaderCSeq) {
			m.note(errControl)
			return
		}
	}
}

// hasControl tells whether b has a control character other than white space that
// no quoted string holds; quotes tells whether there may be some.
func hasControl(b []byte, quotes bool) bool {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"' && quotes:
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case (c < ' ' || c == 0x7f) && !isLWS(c):
			return true
		}
	}
	return false
}
