package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// contactFields are what $ct.fields() takes.
var contactFields = []string{"name", "uri", "q", "expires", "methods", "received", "params"}

// contactVariables are those of the Contact values, of all its headers, from 0
// on; a negative index counts from the last.
func contactVariables() map[string]*Variable {
	return map[string]*Variable{
		"ct": {Index: true, Get: func(u *Use) Getter {
			return func(m *Machine, i int) Value {
				s, ok := m.contact(i)
				if !ok {
					return null
				}
				return Text(m.msg.Bytes(s))
			}
		}},
		"ct.fields": {Inner: ConstInner, Index: true, Get: func(u *Use) Getter {
			k, v := u.k, u.v
			field := v.Arg.Text
			pick := contactField(field)
			if pick == nil {
				k.rep.errorf(v.Arg.At, "$ct.fields has no field %s%s", clip(field), choices(field, contactFields))
				return nil
			}
			return func(m *Machine, i int) Value {
				var a sipframe.NameAddr
				s, ok := m.contact(i)
				if !ok || m.msg.NameAddr(s, &a) != nil {
					return null
				}
				return pick(m.msg.Raw(), &a)
			}
		}},
	}
}

// contact gives the value of a Contact.
func (m *Machine) contact(i int) (sipframe.Span, bool) {
	if i < 0 {
		for it := m.msg.Values(sipframe.HeaderContact); ; i++ {
			if _, ok := it.Next(); !ok {
				break
			}
		}
	}
	for it := m.msg.Values(sipframe.HeaderContact); i >= 0; i-- {
		s, ok := it.Next()
		if !ok || i == 0 {
			return s, ok
		}
	}
	return sipframe.Span{}, false
}

// contactField picks a field of a Contact; nil if there is none of the name.
func contactField(name string) func(raw []byte, a *sipframe.NameAddr) Value {
	switch name {
	case "name":
		return func(raw []byte, a *sipframe.NameAddr) Value { return optional(bytes.TrimSpace(a.Display.In(raw))) }
	case "uri":
		return func(raw []byte, a *sipframe.NameAddr) Value { return optional(a.URI.In(raw)) }
	case "params":
		return func(raw []byte, a *sipframe.NameAddr) Value { return optional(a.Params.In(raw)) }
	case "q", "expires", "methods", "received":
		key := []byte(name)
		return func(raw []byte, a *sipframe.NameAddr) Value { return findParam(a.Params.In(raw), key) }
	default:
		return nil
	}
}
