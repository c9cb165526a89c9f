package sipframe

// Param is one parameter.
type Param struct {
	Name  []byte
	Value []byte // quoted strings with their quotes; see Unquote
	// HasValue tells "name=" and "name=x" from "name".
	HasValue bool
	// Span is where it stands in the bytes that Params was given, without
	// white space at the ends.
	Span Span
}

// ParamIter goes through parameters that are parted by semicolons.
type ParamIter struct {
	b   []byte
	pos int
}

// Params iterates over b: parameters of a header or of a URI, with or without a
// semicolon in front. Empty ones (two semicolons in a row) are left out. A quoted
// string that is not closed reaches to the end.
func Params(b []byte) ParamIter { return ParamIter{b: b} }

// Next gives the next parameter.
func (it *ParamIter) Next() (Param, bool) {
	b := it.b
	for it.pos < len(b) {
		from := it.pos
		i, eq := from, -1
	scan:
		for i < len(b) {
			switch b[i] {
			case ';':
				break scan
			case '=':
				if eq < 0 {
					eq = i
				}
			case '"':
				if i = skipQuoted(b, i, len(b)); i < 0 {
					i = len(b)
				}
				continue
			}
			i++
		}
		it.pos = i + 1
		s := trimmed(b, from, i)
		if s.Len == 0 {
			continue
		}
		if eq < 0 {
			return Param{Name: s.In(b), Span: s}, true
		}
		return Param{
			Name:     trimmed(b, from, eq).In(b),
			Value:    trimmed(b, eq+1, i).In(b),
			HasValue: true,
			Span:     s,
		}, true
	}
	return Param{}, false
}

// FindParam gives the value of the first parameter with that name, whatever its
// case; ok tells whether there is one. The value of "name" is nil.
func FindParam(params []byte, name string) (value []byte, ok bool) {
	it := Params(params)
	for p, more := it.Next(); more; p, more = it.Next() {
		if EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return nil, false
}
