package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// headerVariables are those of the message's header.
func headerVariables() map[string]*varSpec {
	vars := map[string]*varSpec{
		"ci": whole(sipframe.HeaderCallID),
		"ua": whole(sipframe.HeaderUserAgent),
		"rt": whole(sipframe.HeaderReferTo),
		"cs": {get: one(func(m *machine) value {
			n, _, err := m.msg.CSeq()
			if err != nil {
				return null
			}
			return integer(int64(n))
		})},
		"cl": {get: one(func(m *machine) value {
			n, present, err := m.msg.ContentLength()
			if err != nil || !present {
				return null
			}
			return integer(int64(n))
		})},
		"hdr": {arg: anyArg, index: true, get: headerItem},
		"hdrcnt": {arg: anyArg, get: func(k *compiler, v *Var) item {
			name := k.name(v.Arg)
			if name == nil {
				return nil
			}
			return func(m *machine, _ int) value { return integer(int64(m.countHeaders(name(m)))) }
		}},
	}
	for prefix, of := range map[string]func(*machine) *sipframe.NameAddr{"f": (*machine).from, "t": (*machine).to} {
		uri := func(m *machine) []byte {
			a := of(m)
			if a == nil {
				return nil
			}
			return a.URI.In(m.msg.Raw())
		}
		vars[prefix+"u"] = &varSpec{get: one(func(m *machine) value { return optional(uri(m)) })}
		vars[prefix+"U"] = &varSpec{get: one(func(m *machine) value { return partOf(uri(m), uriUser) })}
		vars[prefix+"d"] = &varSpec{get: one(func(m *machine) value { return partOf(uri(m), uriHost) })}
		vars[prefix+"n"] = &varSpec{get: one(func(m *machine) value {
			if a := of(m); a != nil {
				return optional(bytes.TrimSpace(a.Display.In(m.msg.Raw())))
			}
			return null
		})}
		vars[prefix+"t"] = &varSpec{get: one(func(m *machine) value {
			if a := of(m); a != nil {
				return optional(a.Tag.In(m.msg.Raw()))
			}
			return null
		})}
	}
	return vars
}

func (m *machine) from() *sipframe.NameAddr {
	a, err := m.msg.From()
	if err != nil {
		return nil
	}
	return a
}

func (m *machine) to() *sipframe.NameAddr {
	a, err := m.msg.To()
	if err != nil {
		return nil
	}
	return a
}

// whole is the value of the first header of a kind.
func whole(kind sipframe.HeaderKind) *varSpec {
	return &varSpec{get: one(func(m *machine) value { return optional(m.msg.Value(kind)) })}
}

// headerItem is $hdr(name)[i]: the value of a header, from 0 on; negative counts
// from the last one.
func headerItem(k *compiler, v *Var) item {
	name := k.name(v.Arg)
	if name == nil {
		return nil
	}
	return func(m *machine, i int) value {
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
		return bytesValue(m.msg.Bytes(m.msg.Header(h).Value))
	}
}

func (m *machine) countHeaders(name []byte) (n int) {
	for h := m.msg.FindName(name); h >= 0; h = m.msg.FindNameNext(name, h) {
		n++
	}
	return n
}
