package sipmsgops

import (
	"bytes"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// option builds a function that acts on headers whose values are comma lists of
// tokens, such as Supported, as they stand.
func option(do func(m *script.Machine, at *script.Site, header, option []byte) int) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		name, value, at := a.Text(0), a.Text(1), a.Site()
		return func(m *script.Machine) int {
			header, ok1 := name(m)
			option, ok2 := value(m)
			if !ok1 || !ok2 || len(option) == 0 {
				return -1
			}
			return do(m, at, header, option)
		}
	}
}

func privacy(a *script.Args) script.Action {
	want := a.Text(0)
	return func(m *script.Machine) int {
		w, ok := want(m)
		return script.Yes(ok && isPrivate(m, w))
	}
}

// listHas tells whether a header of the name lists an option, whatever its case.
func listHas(m *script.Machine, _ *script.Site, header, option []byte) int {
	for i := m.Message().FindName(header); i >= 0; i = m.Message().FindNameNext(header, i) {
		for list := sipframe.SplitList(m.Context().HeaderValue(i)); ; {
			v, ok := list.Next()
			if !ok {
				break
			}
			if sipframe.EqualFoldBytes(bytes.TrimSpace(v), option) {
				return 1
			}
		}
	}
	return -1
}

// listAdd adds an option to the first header of the name that is there.
func listAdd(m *script.Machine, at *script.Site, header, option []byte) int {
	for i := m.Message().FindName(header); i >= 0; i = m.Message().FindNameNext(header, i) {
		value := m.Context().HeaderValue(i)
		if value == nil {
			continue // taken out
		}
		var comma []byte
		if len(bytes.TrimSpace(value)) > 0 {
			comma = []byte(", ")
		}
		return m.Reported(at, m.Context().SetHeaderValue(i, m.Join(value, comma, option)))
	}
	return -1
}

// listRemove takes an option out of all headers of the name, the last one of
// those that a header has twice; a header that has no other goes.
func listRemove(m *script.Machine, at *script.Site, header, option []byte) int {
	code := -1
	for i := m.Message().FindName(header); i >= 0; i = m.Message().FindNameNext(header, i) {
		value := m.Context().HeaderValue(i)
		found, n := -1, 0
		for list := sipframe.SplitList(value); ; n++ {
			v, ok := list.Next()
			if !ok {
				break
			}
			if sipframe.EqualFoldBytes(bytes.TrimSpace(v), option) {
				found = n
			}
		}
		if found < 0 {
			continue
		}
		left := m.Borrow()
		n = 0
		for list := sipframe.SplitList(value); ; n++ {
			v, ok := list.Next()
			if !ok {
				break
			}
			if n == found {
				continue
			}
			if len(left) > 0 {
				left = append(left, ", "...)
			}
			left = append(left, bytes.TrimSpace(v)...)
		}
		m.Return(left)
		if code = m.Reported(at, m.Context().SetHeaderValue(i, left)); code < 0 {
			return code
		}
	}
	return code
}

// isPrivate tells whether Privacy has a value (RFC 3323 4.2).
func isPrivate(m *script.Machine, want []byte) bool {
	for i := m.Message().Find(sipframe.HeaderPrivacy); i >= 0; i = m.Message().FindNext(sipframe.HeaderPrivacy, i) {
		for rest := m.Context().HeaderValue(i); len(rest) > 0; {
			n := bytes.IndexAny(rest, ";,")
			v := rest
			if n >= 0 {
				v, rest = rest[:n], rest[n+1:]
			} else {
				rest = nil
			}
			if sipframe.EqualFoldBytes(bytes.TrimSpace(v), want) {
				return true
			}
		}
	}
	return false
}
