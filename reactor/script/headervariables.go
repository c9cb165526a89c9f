package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// headerVariables are those of the message's header.
func headerVariables() map[string]*Variable {
	vars := map[string]*Variable{
		"ci": {Get: Simple(func(m *Machine) Value { return optional(m.c.CallID()) })}, // as the caller knows it
		"ua": whole(sipframe.HeaderUserAgent),
		"rt": whole(sipframe.HeaderReferTo),
		"cs": {Get: Simple(func(m *Machine) Value {
			n, _, err := m.msg.CSeq()
			if err != nil {
				return null
			}
			return Int(int64(n))
		})},
		"cl": {Get: Simple(func(m *Machine) Value {
			n, present, err := m.msg.ContentLength()
			if err != nil || !present {
				return null
			}
			return Int(int64(n))
		})},
		"hdr": {Inner: AnyInner, Index: true, Get: headerItem},
		"hdrcnt": {Inner: AnyInner, Get: func(u *Use) Getter {
			k, v := u.k, u.v
			name := k.headerName(v.Arg)
			if name == nil {
				return nil
			}
			return func(m *Machine, _ int) Value { return Int(int64(m.countHeaders(name(m)))) }
		}},
	}
	for prefix, of := range map[string]func(*Machine) *sipframe.NameAddr{"f": (*Machine).from, "t": (*Machine).to} {
		uri := func(m *Machine) []byte {
			a := of(m)
			if a == nil {
				return nil
			}
			return a.URI.In(m.msg.Raw())
		}
		vars[prefix+"u"] = &Variable{Get: Simple(func(m *Machine) Value { return optional(uri(m)) })}
		vars[prefix+"U"] = &Variable{Get: Simple(func(m *Machine) Value { return partOf(uri(m), uriUser) })}
		vars[prefix+"d"] = &Variable{Get: Simple(func(m *Machine) Value { return partOf(uri(m), uriHost) })}
		vars[prefix+"n"] = &Variable{Get: Simple(func(m *Machine) Value {
			if a := of(m); a != nil {
				return optional(bytes.TrimSpace(a.Display.In(m.msg.Raw())))
			}
			return null
		})}
		vars[prefix+"t"] = &Variable{Get: Simple(func(m *Machine) Value {
			if a := of(m); a != nil {
				return optional(a.Tag.In(m.msg.Raw()))
			}
			return null
		})}
	}
	return vars
}

func (m *Machine) from() *sipframe.NameAddr {
	a, err := m.msg.From()
	if err != nil {
		return nil
	}
	return a
}

func (m *Machine) to() *sipframe.NameAddr {
	a, err := m.msg.To()
	if err != nil {
		return nil
	}
	return a
}

// whole is the value of the first header of a kind.
func whole(kind sipframe.HeaderKind) *Variable {
	return &Variable{Get: Simple(func(m *Machine) Value { return optional(m.msg.Value(kind)) })}
}

// headerItem is $hdr(name)[i]: the value of a header, from 0 on; negative counts
// from the last one.
func headerItem(u *Use) Getter {
	k, v := u.k, u.v
	name := k.headerName(v.Arg)
	if name == nil {
		return nil
	}
	return func(m *Machine, i int) Value {
		n := name(m)
		if i < 0 {
			if i += m.countHeaders(n); i < 0 {
				return null
			}
		}
		h := m.msg.FindName(n)
		for ; h >= 0 && i > 0; i-- {
			h = m.msg.FindNameNext(n, h)
		}
		if h < 0 {
			return null
		}
		return Text(m.msg.Bytes(m.msg.Header(h).Value))
	}
}

// headerName is name for that of a header.
func (k *compiler) headerName(a *varArg) func(m *Machine) []byte {
	if a.Var == nil {
		if err := CheckHeaderName(a.Text); err != nil {
			k.rep.errorf(a.At, "%v", err)
			return nil
		}
	}
	return k.name(a)
}

func (m *Machine) countHeaders(name []byte) (n int) {
	for h := m.msg.FindName(name); h >= 0; h = m.msg.FindNameNext(name, h) {
		n++
	}
	return n
}
