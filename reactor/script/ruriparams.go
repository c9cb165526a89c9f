package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// ruriFunctions are those of sipmsgops about the Request-URI.
func ruriFunctions() map[string]*Function {
	return map[string]*Function{
		"ruri_has_param": {module: "sipmsgops", Usage: `ruri_has_param("name"[, "value"])`, Args: []ArgKind{TextArg, TextArg}, Min: 1, Routes: Requests, Build: buildURIParam},
		"ruri_add_param": textFunction("sipmsgops", `ruri_add_param("name=value")`, Requests, addURIParam),
		"ruri_del_param": textFunction("sipmsgops", `ruri_del_param("name")`, Requests, func(m *Machine, b []byte) error {
			return m.c.RemoveURIParam(b)
		}),
		"ruri_tel2sip": {module: "sipmsgops", Usage: "ruri_tel2sip()", Routes: Requests, Build: buildTel2SIP},
		"append_urihf": {module: "sipmsgops", Usage: `append_urihf("Name: ", "\r\n")`, Args: []ArgKind{HeaderArg, HeaderArg}, Min: 2, Routes: Requests, Build: func(a *Args) Action {
			return func(m *Machine) int {
				prefix, ok1 := a.list[0].text(m)
				suffix, ok2 := a.list[1].text(m)
				if !ok1 || !ok2 {
					return m.Fail(a.at, "an argument is NULL")
				}
				from := len(m.arena)
				m.arena = append(append(append(m.arena, prefix...), m.msg.RequestURI()...), suffix...)
				return m.Reported(a.at, m.c.AppendHeader(withoutLineEnd(m.arena[from:])))
			}
		}},
	}
}

// buildURIParam makes uri_param() and ruri_has_param(): without a value they ask
// for a parameter that has none.
func buildURIParam(a *Args) Action {
	name, want := a.list[0].text, a.list[1]
	return func(m *Machine) int {
		n, ok := name(m)
		if !ok {
			return -1
		}
		v := m.ruriPart(func(uri []byte, u *sipframe.URI) Value { return findParam(u.Params.In(uri), n) })
		if v.kind == nullValue {
			return -1
		}
		if !want.given {
			return Yes(len(v.s) == 0)
		}
		w, ok := want.text(m)
		return Yes(ok && sipframe.EqualFoldBytes(v.s, w))
	}
}

// addURIParam adds name=value, or a name alone.
func addURIParam(m *Machine, b []byte) error {
	name, text, ok := bytes.Cut(b, []byte{'='})
	if !ok {
		return m.c.SetURIParam(name, nil)
	}
	return m.c.SetURIParam(name, text)
}

// buildTel2SIP makes a SIP URI of a tel URI (RFC 3261 19.1.6), at the host of
// From. Any other Request-URI is left alone.
func buildTel2SIP(a *Args) Action {
	return func(m *Machine) int {
		uri := m.ruri()
		if len(uri) < 5 || !sipframe.EqualFold(uri[:4], "tel:") {
			return 1
		}
		from := m.from()
		if from == nil {
			return m.Fail(a.at, "From has no host to go by")
		}
		host := partOf(from.URI.In(m.msg.Raw()), uriHost)
		if host.kind == nullValue {
			return m.Fail(a.at, "From has no host to go by")
		}
		at := len(m.arena)
		m.arena = append(append(append(append(append(m.arena, "sip:"...), uri[4:]...), '@'), host.s...), ";user=phone"...)
		return m.Reported(a.at, m.c.SetRequestURI(m.arena[at:]))
	}
}
