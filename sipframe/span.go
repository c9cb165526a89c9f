package sipframe

// Span is a part of a message, or of whatever bytes a parser was given. The
// zero Span is "absent".
type Span struct{ Off, Len uint32 }

// End gives the offset behind the last byte.
func (s Span) End() uint32 { return s.Off + s.Len }

// In gives the bytes of the span in b, nil if it does not fit into b. The
// result aliases b.
func (s Span) In(b []byte) []byte {
	if uint64(s.Off)+uint64(s.Len) > uint64(len(b)) {
		return nil
	}
	return b[s.Off : s.Off+s.Len : s.Off+s.Len]
}

// span makes a Span of two offsets.
func span(from, to int) Span { return Span{uint32(from), uint32(to - from)} }

// trimmed is span without the white space at both ends. Of white space alone
// nothing is left at from, so that what replaces an empty value stands in its
// line.
func trimmed(b []byte, from, to int) Span {
	for from < to && isLWS(b[to-1]) {
		to--
	}
	for from < to && isLWS(b[from]) {
		from++
	}
	return span(from, to)
}
