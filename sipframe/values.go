package sipframe

import "bytes"

// ValueIter goes through the values of all headers of one kind, several a line
// included (RFC 3261 section 7.3.1).
type ValueIter struct {
	m      *Message
	kind   HeaderKind
	header int // index of the current header; -1 when there are no more
	pos    int // where the next value starts
}

// Values iterates over the values of the headers of that kind. Empty values
// (two commas in a row) are left out.
func (m *Message) Values(kind HeaderKind) ValueIter {
	it := ValueIter{m: m, kind: kind, header: m.Find(kind)}
	if it.header >= 0 {
		it.pos = int(m.headers[it.header].Value.Off)
	}
	return it
}

// Routes iterates over the values of Route.
func (m *Message) Routes() ValueIter { return m.Values(HeaderRoute) }

// RecordRoutes iterates over the values of Record-Route.
func (m *Message) RecordRoutes() ValueIter { return m.Values(HeaderRecordRoute) }

// Next gives the next value, without white space at its ends.
func (it *ValueIter) Next() (Span, bool) {
	for it.header >= 0 {
		end := int(it.m.headers[it.header].Value.End())
		for it.pos < end {
			from := it.pos
			stop := valueEnd(it.m.raw, from, end)
			it.pos = min(stop+1, end)
			if v := trimmed(it.m.raw, from, stop); v.Len > 0 {
				return v, true
			}
		}
		it.header = it.m.FindNext(it.kind, it.header)
		if it.header >= 0 {
			it.pos = int(it.m.headers[it.header].Value.Off)
		}
	}
	return Span{}, false
}

// Header gives the index of the header that the last value of Next stands in;
// -1 when Next had no more.
func (it *ValueIter) Header() int { return it.header }

// valueEnd gives the offset of the comma that ends the value at i, end if none
// does. Commas in quoted strings and in <> do not count. What is opened and not
// closed reaches to the end: that value is broken, whoever parses it will see.
func valueEnd(b []byte, i, end int) int {
	for ; i < end; i++ {
		switch b[i] {
		case ',':
			return i
		case '"':
			if i = skipQuoted(b, i, end) - 1; i < 0 {
				return end
			}
		case '<':
			n := bytes.IndexByte(b[i:end], '>')
			if n < 0 {
				return end
			}
			i += n
		}
	}
	return end
}

// List iterates over the values of a comma-separated list in any bytes.
type List struct {
	b   []byte
	pos int
}

// SplitList starts a List over b.
func SplitList(b []byte) List { return List{b: b} }

// Next gives the next value without white space at its ends. Empty values are
// left out.
func (l *List) Next() ([]byte, bool) {
	for l.pos < len(l.b) {
		from := l.pos
		stop := valueEnd(l.b, from, len(l.b))
		l.pos = stop + 1
		if v := trimmed(l.b, from, stop); v.Len > 0 {
			return v.In(l.b), true
		}
	}
	return nil, false
}

// Unquote gives what a quoted string says: without its quotes, and with escapes
// resolved (RFC 3261 section 25.1). Without escapes the result aliases b, else
// it is appended to scratch. What is not quoted comes back as it is.
func Unquote(b, scratch []byte) []byte {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return b
	}
	b = b[1 : len(b)-1]
	for i, c := range b {
		if c == '\\' {
			return unescape(append(scratch, b[:i]...), b[i:])
		}
	}
	return b
}

func unescape(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) {
			i++
		}
		dst = append(dst, b[i])
	}
	return dst
}
