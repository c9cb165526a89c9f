package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// partyVariables are those of the headers that name a party besides From and To.
func partyVariables() map[string]*Variable {
	vars := map[string]*Variable{
		"ai":   {Get: Simple(func(m *Machine) Value { return optional(m.partyURI(sipframe.HeaderPAssertedIdentity)) })},
		"pu":   {Get: Simple(func(m *Machine) Value { return optional(m.partyURI(sipframe.HeaderPPreferredIdentity)) })},
		"pU":   {Get: Simple(func(m *Machine) Value { return partOf(m.partyURI(sipframe.HeaderPPreferredIdentity), uriUser) })},
		"pd":   {Get: Simple(func(m *Machine) Value { return partOf(m.partyURI(sipframe.HeaderPPreferredIdentity), uriHost) })},
		"di":   {Get: Simple(func(m *Machine) Value { return optional(m.partyURI(sipframe.HeaderDiversion)) })},
		"path": whole(sipframe.HeaderPath),
		"re": {Get: Simple(func(m *Machine) Value {
			a, raw, ok := m.party(m.msg.FindName([]byte("Remote-Party-ID")))
			if !ok {
				return null
			}
			return optional(a.URI.In(raw))
		})},
		"pn": {Get: Simple(func(m *Machine) Value {
			a, raw, ok := m.party(m.msg.Find(sipframe.HeaderPPreferredIdentity))
			if !ok {
				return null
			}
			return optional(bytes.TrimSpace(a.Display.In(raw)))
		})},
	}
	for name, param := range map[string]string{"dir": "reason", "dip": "privacy"} {
		key := []byte(param)
		vars[name] = &Variable{Get: Simple(func(m *Machine) Value {
			a, raw, ok := m.party(m.msg.Find(sipframe.HeaderDiversion))
			if !ok {
				return null
			}
			return findParam(a.Params.In(raw), key)
		})}
	}
	return vars
}

// party reads the first value of header i; false if it is none.
func (m *Machine) party(i int) (a sipframe.NameAddr, raw []byte, ok bool) {
	if i < 0 {
		return a, nil, false
	}
	list := sipframe.SplitList(m.msg.Bytes(m.msg.Header(i).Value))
	raw, ok = list.Next()
	return a, raw, ok && sipframe.ParseNameAddr(raw, &a) == nil
}

func (m *Machine) partyURI(kind sipframe.HeaderKind) []byte {
	a, raw, ok := m.party(m.msg.Find(kind))
	if !ok {
		return nil
	}
	return a.URI.In(raw)
}
