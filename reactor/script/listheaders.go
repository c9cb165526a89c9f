package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// listFunctions of sipmsgops act on headers whose values are comma lists of
// tokens, such as Supported, as they stand.
func listFunctions() map[string]*Function {
	fs := make(map[string]*Function)
	for name, do := range map[string]func(m *Machine, at *Site, header, option []byte) int{
		"list_hdr_has_option": (*Machine).listHas, "list_hdr_add_option": (*Machine).listAdd, "list_hdr_remove_option": (*Machine).listRemove,
	} {
		fs[name] = &Function{module: "sipmsgops", Usage: name + `("Name", "option")`, Args: []ArgKind{TextArg, TextArg}, Min: 2, Routes: Messages,
			Build: func(a *Args) Action {
				return func(m *Machine) int {
					header, ok1 := a.list[0].text(m)
					option, ok2 := a.list[1].text(m)
					if !ok1 || !ok2 || len(option) == 0 {
						return -1
					}
					return do(m, a.at, header, option)
				}
			}}
	}
	fs["is_privacy"] = &Function{module: "sipmsgops", Usage: `is_privacy("id")`, Args: []ArgKind{TextArg}, Min: 1, Routes: Messages,
		Build: func(a *Args) Action {
			want := a.list[0].text
			return func(m *Machine) int {
				w, ok := want(m)
				return Yes(ok && m.isPrivate(w))
			}
		}}
	return fs
}

// listHas tells whether a header of the name lists an option, whatever its case.
func (m *Machine) listHas(_ *Site, header, option []byte) int {
	for i := m.msg.FindName(header); i >= 0; i = m.msg.FindNameNext(header, i) {
		for list := sipframe.SplitList(m.c.HeaderValue(i)); ; {
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
func (m *Machine) listAdd(at *Site, header, option []byte) int {
	for i := m.msg.FindName(header); i >= 0; i = m.msg.FindNameNext(header, i) {
		value := m.c.HeaderValue(i)
		if value == nil {
			continue // taken out
		}
		from := len(m.arena)
		m.arena = append(m.arena, value...)
		if len(bytes.TrimSpace(value)) > 0 {
			m.arena = append(m.arena, ", "...)
		}
		m.arena = append(m.arena, option...)
		return m.Reported(at, m.c.SetHeaderValue(i, m.arena[from:]))
	}
	return -1
}

// listRemove takes an option out of all headers of the name, the last one of
// those that a header has twice; a header that has no other goes.
func (m *Machine) listRemove(at *Site, header, option []byte) int {
	code := -1
	for i := m.msg.FindName(header); i >= 0; i = m.msg.FindNameNext(header, i) {
		value := m.c.HeaderValue(i)
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
		from := len(m.arena)
		n = 0
		for list := sipframe.SplitList(value); ; n++ {
			v, ok := list.Next()
			if !ok {
				break
			}
			if n == found {
				continue
			}
			if len(m.arena) > from {
				m.arena = append(m.arena, ", "...)
			}
			m.arena = append(m.arena, bytes.TrimSpace(v)...)
		}
		if code = m.Reported(at, m.c.SetHeaderValue(i, m.arena[from:])); code < 0 {
			return code
		}
	}
	return code
}

// isPrivate tells whether Privacy has a value (RFC 3323 4.2).
func (m *Machine) isPrivate(want []byte) bool {
	for i := m.msg.Find(sipframe.HeaderPrivacy); i >= 0; i = m.msg.FindNext(sipframe.HeaderPrivacy, i) {
		for rest := m.c.HeaderValue(i); len(rest) > 0; {
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
