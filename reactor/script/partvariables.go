package script

import (
	"sipreactor/sipframe"
	"sipreactor/sipframe/body"
)

// partVariables are those of the body and its parts, as they came: $rb and $cT
// are the whole; with an index they are that part of a multipart body, from 0 on
// and negative from the last; $rb(type) is the first part of a type.
func partVariables() map[string]*Variable {
	return map[string]*Variable{
		"rb": {Inner: OptionalInner, Index: true, Get: func(u *Use) Getter {
			k, v := u.k, u.v
			var want func(m *Machine) []byte
			if v.Arg != nil {
				if want = k.name(v.Arg); want == nil {
					return nil
				}
			}
			whole := func(m *Machine) Value { return optional(m.msg.Body()) }
			switch {
			case v.Arg == nil && v.Index == nil:
				return func(m *Machine, _ int) Value { return whole(m) }
			case v.Arg == nil && v.Index.All:
				return first(whole)
			}
			return func(m *Machine, i int) Value {
				var typ []byte
				if want != nil {
					typ = want(m)
				}
				content, _, ok := m.partAt(typ, i)
				if !ok {
					return null
				}
				return optional(content)
			}
		}},
		"cT": {Index: true, Get: func(u *Use) Getter {
			v := u.v
			whole := func(m *Machine) Value { return optional(m.msg.Value(sipframe.HeaderContentType)) }
			switch {
			case v.Index == nil:
				return func(m *Machine, _ int) Value { return whole(m) }
			case v.Index.All: // the message's own and those of the parts
				return func(m *Machine, i int) Value {
					if i == 0 {
						return whole(m)
					}
					_, typ, ok := m.partAt(nil, i-1)
					if _, multi := body.Boundary(m.msg.Value(sipframe.HeaderContentType)); !ok || !multi {
						return null
					}
					return optional(typ)
				}
			}
			return func(m *Machine, i int) Value {
				_, typ, ok := m.partAt(nil, i)
				if !ok {
					return null
				}
				return optional(typ)
			}
		}},
	}
}

// first makes an item of what has one value.
func first(get func(m *Machine) Value) Getter {
	return func(m *Machine, i int) Value {
		if i != 0 {
			return null
		}
		return get(m)
	}
}

// partAt gives the i-th part of a type, nil any, of the body as it came, and its
// type. A body that is not multipart is one part.
func (m *Machine) partAt(want []byte, i int) (content, typ []byte, ok bool) {
	whole, typ := m.msg.Body(), m.msg.Value(sipframe.HeaderContentType)
	boundary, multi := body.Boundary(typ)
	if !multi {
		return whole, typ, len(whole) > 0 && (i == 0 || i == -1) && (want == nil || body.IsType(typ, want))
	}
	if i < 0 {
		for parts := body.NewParts(whole, boundary); parts.Next(); {
			if want == nil || body.IsType(parts.Type(), want) {
				i++
			}
		}
	}
	for parts := body.NewParts(whole, boundary); i >= 0 && parts.Next(); {
		if want != nil && !body.IsType(parts.Type(), want) {
			continue
		}
		if i == 0 {
			return parts.Content(), parts.Type(), true
		}
		i--
	}
	return nil, nil, false
}
