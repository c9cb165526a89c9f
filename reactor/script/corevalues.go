package script

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"sipreactor/sipframe"
)

// valueFunctions give variables their values.
func valueFunctions() map[string]*Function {
	return map[string]*Function{
		"get_timestamp": {Usage: "get_timestamp($avp(sec), $avp(usec))", Args: []ArgKind{SetArg, SetArg}, Min: 2, Routes: Anywhere, Build: func(a *Args) Action {
			return func(m *Machine) int {
				now := time.Now()
				if ret := a.list[0].set(m, Int(now.Unix())); ret < 0 {
					return ret
				}
				return a.list[1].set(m, Int(int64(now.Nanosecond()/1000)))
			}
		}},
		"pv_printf": {Usage: `pv_printf($var(x), "text")`, Args: []ArgKind{SetArg, TextArg}, Min: 2, Routes: Anywhere, Build: func(a *Args) Action {
			return func(m *Machine) int {
				b, ok := a.list[1].text(m)
				if !ok {
					return m.Fail(a.at, "the text is NULL")
				}
				return a.list[0].set(m, Text(b))
			}
		}},
		"avp_print": {Usage: "avp_print()", Routes: Anywhere, Build: func(a *Args) Action {
			k := a.k
			return func(m *Machine) int {
				for name, slot := range k.avps {
					m.printAVP(a.at, name, slot)
				}
				for i, name := range m.named {
					m.printAVP(a.at, name, m.prog.navps+i)
				}
				return 1
			}
		}},
		"construct_uri": {Usage: `construct_uri("scheme"[, "user"], "domain"[, "port"][, "params"], $avp(x))`,
			Args: []ArgKind{TextArg, TextArg, TextArg, TextArg, TextArg, SetArg}, Min: 6, gaps: true, Routes: Anywhere, Build: buildConstructURI},
	}
}

// buildConstructURI makes construct_uri(), whose parts may be left out or empty.
func buildConstructURI(a *Args) Action {
	k := a.k
	scheme, user, domain, port, params, out := a.list[0], a.list[1], a.list[2], a.list[3], a.list[4], a.list[5]
	if !scheme.given || !domain.given || !out.given {
		k.rep.errorf(a.call.At, "construct_uri() needs a scheme, a domain and a variable: %s", functions["construct_uri"].Usage)
		return nil
	}
	return func(m *Machine) int {
		s, ok := scheme.text(m)
		d, also := domain.text(m)
		if !ok || !also || len(s) == 0 || len(d) == 0 {
			return m.Fail(a.at, "the scheme or the domain is empty")
		}
		w := append(m.work[:0], s...)
		w = append(w, ':')
		if u, _ := user.optional(m); len(u) > 0 {
			w = append(append(w, u...), '@')
		}
		w = append(w, d...)
		if p, _ := port.optional(m); len(p) > 0 {
			w = append(append(w, ':'), p...)
		}
		if p, _ := params.optional(m); len(p) > 0 {
			if p[0] != ';' {
				w = append(w, ';')
			}
			w = append(w, p...)
		}
		m.work = w
		var u sipframe.URI
		if sipframe.ParseURI(w, &u) != nil {
			return m.Fail(a.at, "the parts make no URI")
		}
		return out.set(m, Text(m.Keep(w)))
	}
}

// viaFlags are what set_via_handling() takes.
var viaFlags = []string{"force-rport", "add-local-rport", "force-tcp-alias", "reply-to-via"}

// viaFunctions say what is written into Via.
func viaFunctions() map[string]*Function {
	return map[string]*Function{
		"add_local_rport": {Usage: "add_local_rport()", Routes: Requests, Build: func(*Args) Action {
			return func(m *Machine) int { m.c.AddLocalRPort(); return 1 }
		}},
		"set_via_handling": {Usage: `set_via_handling("flags")`, Args: []ArgKind{FixedArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			k := a.k
			var rport, local, alias bool
			for f := range strings.FieldsFuncSeq(a.list[0].str, func(r rune) bool { return r == ',' || r == ' ' }) {
				switch f {
				case "force-rport":
					rport = true
				case "add-local-rport":
					local = true
				case "force-tcp-alias":
					alias = true
				case "reply-to-via":
					k.rep.errorf(a.list[0].expr.Pos(), "reply-to-via is not supported: responses go back by the connection, or to the address, that the request came from")
				default:
					k.rep.errorf(a.list[0].expr.Pos(), "%q is no flag of set_via_handling()%s", clip(f), choices(f, viaFlags))
				}
			}
			return func(m *Machine) int {
				if rport {
					m.c.ForceRPort()
				}
				if local {
					m.c.AddLocalRPort()
				}
				if alias {
					if err := m.c.ForceTCPAlias(0); err != nil {
						a.at.say(m, LevelInfo, "script: "+a.at.what+" failed", "error", err)
						return -1
					}
				}
				return 1
			}
		}},
	}
}

// routeVariables tell which routes run: $route, $route.type and $route.name, the
// innermost first, negative indexes from the outermost.
func routeVariables() map[string]*Variable {
	of := func(part func(b []byte, r *Routine) []byte) *Variable {
		return &Variable{Index: true, Get: func(*Use) Getter {
			return func(m *Machine, i int) Value {
				if i >= 0 {
					i = len(m.calls) - 1 - i
				} else {
					i = -1 - i
				}
				if i < 0 || i >= len(m.calls) {
					return null
				}
				from := len(m.arena)
				m.arena = part(m.arena, m.calls[i])
				return Text(m.arena[from:len(m.arena):len(m.arena)])
			}
		}}
	}
	whole := func(b []byte, r *Routine) []byte {
		b = append(b, r.kind.String()...)
		if r.name != "" {
			b = append(append(append(b, '['), r.name...), ']')
		}
		return b
	}
	route := of(whole)
	each := route.Get
	route.Get = func(u *Use) Getter {
		v := u.v
		if v.Index == nil || !v.Index.All {
			return each(u)
		}
		return func(m *Machine, i int) Value { // the stack as one text
			if i > 0 {
				return null
			}
			from := len(m.arena)
			for n, r := range m.calls {
				if n > 0 {
					m.arena = append(m.arena, " > "...)
				}
				m.arena = whole(m.arena, r)
			}
			return Text(m.arena[from:len(m.arena):len(m.arena)])
		}
	}
	return map[string]*Variable{
		"route":      route,
		"route.type": of(func(b []byte, r *Routine) []byte { return append(b, r.kind.String()...) }),
		"route.name": of(func(b []byte, r *Routine) []byte { return append(b, r.name...) }),
		"hdr_name": {Index: true, Get: many(func(m *Machine, i int) Value {
			if n := m.msg.NumHeaders(); i < 0 {
				i += n
			}
			if i < 0 || i >= m.msg.NumHeaders() {
				return null
			}
			return Text(m.msg.Bytes(m.msg.Header(i).Name))
		})},
	}
}

// many makes an item of a getter that takes an index.
func many(get Getter) func(*Use) Getter {
	return func(*Use) Getter { return get }
}

// challengeVariables are $challenge.realm and the like: of the challenge that a
// response brings.
func challengeVariables() map[string]*Variable {
	vars := make(map[string]*Variable)
	for _, name := range []string{"algorithm", "realm", "nonce", "opaque", "qop", "ik", "ck"} {
		vars["challenge."+name] = &Variable{Get: Simple(func(m *Machine) Value {
			b := m.msg.Value(sipframe.HeaderWWWAuthenticate)
			if len(b) == 0 {
				b = m.msg.Value(sipframe.HeaderProxyAuthenticate)
			}
			return digestParam(b, name)
		})}
	}
	return vars
}

// partSetter makes the assignment to a part of the destination URI.
func partSetter(allowed string, change func(w, old []byte, u *sipframe.URI, x []byte) []byte) func(*Use) Setter {
	return func(u *Use) Setter {
		return u.Setter(allowed, func(m *Machine, x Value) error {
			old := m.c.DestURI()
			var u sipframe.URI
			switch {
			case old == nil || sipframe.ParseURI(old, &u) != nil || u.Host.Len == 0:
				return errors.New("there is no destination URI")
			case x.kind == nullValue:
				return errNull
			}
			w := change(m.work[:0], old, &u, m.Text(x))
			m.work = w
			if sipframe.ParseURI(w, &u) != nil {
				return errors.New("the value does not fit into the URI")
			}
			return m.c.SetDestURI(w)
		})
	}
}

// setDestHost, setDestPort and setDestTransport write a URI with one part changed.
func setDestHost(w, old []byte, u *sipframe.URI, x []byte) []byte {
	return append(append(append(w, old[:u.Host.Off]...), x...), old[u.Host.End():]...)
}

func setDestPort(w, old []byte, u *sipframe.URI, x []byte) []byte {
	w = append(append(append(w, old[:u.Host.End()]...), ':'), x...)
	return append(w, old[u.HostPort.End():]...)
}

func setDestTransport(w, old []byte, u *sipframe.URI, x []byte) []byte {
	params := u.Params.In(old)
	end := u.Params.Off - 1
	if u.Params.Len == 0 {
		end = uint32(len(old))
		if u.Headers.Len > 0 {
			end = u.Headers.Off - 1
		}
	}
	w = append(w, old[:end]...)
	for p := range bytes.SplitSeq(params, []byte{';'}) {
		name, _, _ := bytes.Cut(p, []byte{'='})
		if len(p) > 0 && !sipframe.EqualFoldBytes(name, transportName) {
			w = append(append(w, ';'), p...)
		}
	}
	w = append(append(append(append(w, ';'), transportName...), '='), x...)
	if u.Headers.Len > 0 {
		w = append(append(w, '?'), u.Headers.In(old)...)
	}
	return w
}
