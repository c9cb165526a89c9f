package script

import (
	"bytes"
	"strconv"

	"sipreactor/reactor/proxy"
)

// branchFieldSpec is a field of a branch.
type branchFieldSpec struct {
	name string
	get  func(m *Machine, i int, b *proxy.Branch) Value
	set  func(m *Machine, i int, b *proxy.Branch, x Value) error
	// allowed says in words what set takes; "": that is not up to the value alone.
	allowed string
}

// branchFields are the fields; the first is the URI, the third q.
var branchFields = [...]branchFieldSpec{
	{"uri", func(m *Machine, i int, _ *proxy.Branch) Value { return optional(m.Keep(m.c.BranchURI(i))) },
		func(m *Machine, _ int, b *proxy.Branch, x Value) error { return b.SetURI(m.Text(x)) }, aURI},
	{"duri", func(m *Machine, _ int, b *proxy.Branch) Value { return optional(m.Keep(b.DestURI())) },
		func(m *Machine, _ int, b *proxy.Branch, x Value) error { return b.SetDestURI(m.Text(x)) }, aURI},
	{"q", func(m *Machine, _ int, b *proxy.Branch) Value { return m.qText(b.Q()) }, setQ, "0 to 1000 thousandths, or a text from 0 to 1 such as 0.5"},
	{"path", func(m *Machine, _ int, b *proxy.Branch) Value { return optional(m.Keep(b.Path())) },
		func(m *Machine, _ int, b *proxy.Branch, x Value) error { return b.SetPath(m.Text(x)) }, "values of Path, on one line"},
	{"flags", func(m *Machine, _ int, b *proxy.Branch) Value { return m.flagText(1, b.Flags(), ",") }, setFlags, ""},
	{"socket", func(m *Machine, _ int, b *proxy.Branch) Value {
		if b.Socket() == nil {
			return null
		}
		return m.socketText(b.Socket().Addr, b.Socket().Proto)
	}, func(m *Machine, _ int, b *proxy.Branch, x Value) error {
		s := m.socketNamed(m.Text(x))
		if s == nil && x.kind != nullValue {
			return errNoSocket
		}
		b.SetSocket(s)
		return nil
	}, ""},
}

func branchFieldNames() (names []string) {
	for i := range branchFields {
		names = append(names, branchFields[i].name)
	}
	return names
}

// qText gives a preference as it stands in a Contact, 0.5 or 1; NULL for none.
func (m *Machine) qText(q int) Value {
	if q == proxy.NoQ || m.alone() {
		return null
	}
	from := len(m.arena)
	m.arena = appendQ(m.arena, q)
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

func appendQ(b []byte, q int) []byte {
	b = strconv.AppendInt(b, int64(q/1000), 10)
	if q %= 1000; q == 0 {
		return b
	}
	b = append(b, '.', byte('0'+q/100), byte('0'+q/10%10), byte('0'+q%10))
	return bytes.TrimRight(b, "0")
}

// parseQ reads 0 to 1 with up to three digits behind the point (RFC 3261 25.1) in
// thousandths.
func parseQ(b []byte) (q int, ok bool) {
	whole, part, _ := bytes.Cut(b, []byte{'.'})
	if len(whole) != 1 || whole[0] > '1' || whole[0] < '0' || len(part) > 3 {
		return 0, false
	}
	for i, unit := 0, 100; i < len(part); i, unit = i+1, unit/10 {
		if !isDigit(part[i]) {
			return 0, false
		}
		q += int(part[i]-'0') * unit
	}
	q += 1000 * int(whole[0]-'0')
	return q, q <= 1000
}

// setQ takes a number in thousandths or a text such as 0.5.
func setQ(_ *Machine, _ int, b *proxy.Branch, x Value) error {
	q, ok := proxy.NoQ, true
	switch x.kind {
	case intValue:
		q, ok = int(x.n), 0 <= x.n && x.n <= 1000
	case textValue:
		q, ok = parseQ(x.s)
	case nullValue: // none
	}
	if !ok {
		return errNoQ
	}
	b.SetQ(q)
	return nil
}

// setFlags takes the flags' names, joined by commas or spaces; NULL is none.
func setFlags(m *Machine, _ int, b *proxy.Branch, x Value) error {
	var flags uint64
	for name := range bytes.FieldsFuncSeq(m.Text(x), func(r rune) bool { return r == ',' || r == ' ' }) {
		n := m.flagNamed(name)
		if n < 0 {
			return errNoFlag
		}
		flags |= 1 << n
	}
	b.SetFlags(flags)
	return nil
}

// flagNamed gives the number of a branch flag, -1 if the program has none of the
// name.
func (m *Machine) flagNamed(name []byte) int {
	for n, known := range m.prog.flagNames[1] {
		if known == string(name) {
			return n
		}
	}
	return -1
}
