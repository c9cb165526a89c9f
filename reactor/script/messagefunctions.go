package script

import (
	"bytes"
	"strings"

	"sipreactor/sipframe"
)

// methodFunctions of sipmsgops ask about the message.
func methodFunctions() map[string]*Function {
	return map[string]*Function{
		"is_method": {module: "sipmsgops", Usage: `is_method("INVITE|ACK")`, Args: []ArgKind{TextArg}, Min: 1, Routes: Messages, Build: buildIsMethod},
		"has_totag": {module: "sipmsgops", Usage: "has_totag()", Routes: Messages, Build: func(*Args) Action {
			return func(m *Machine) int { return Yes(m.c.HasToTag()) }
		}},
		"has_body": {module: "sipmsgops", Usage: `has_body(["application/sdp"])`, Args: []ArgKind{TextArg}, Routes: Messages, Build: func(a *Args) Action {
			mime := a.list[0]
			return func(m *Machine) int {
				if !m.c.HasBody() || !mime.given {
					return Yes(m.c.HasBody())
				}
				want, ok := mime.text(m)
				typ, _, _ := bytes.Cut(m.msg.Value(sipframe.HeaderContentType), []byte{';'})
				return Yes(ok && sipframe.EqualFoldBytes(bytes.TrimSpace(typ), want))
			}
		}},
		"is_present_hf": {module: "sipmsgops", Usage: `is_present_hf("Name")`, Args: []ArgKind{TextArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			name := a.list[0].text
			return func(m *Machine) int {
				n, ok := name(m)
				return Yes(ok && m.msg.FindName(n) >= 0)
			}
		}},
	}
}

// buildIsMethod makes is_method(), for constant names without looking at text.
func buildIsMethod(a *Args) Action {
	k := a.k
	if !a.list[0].fixed {
		names := a.list[0].text
		return func(m *Machine) int {
			list, ok := names(m)
			for ok && len(list) > 0 {
				var one []byte
				one, list, _ = bytes.Cut(list, []byte{'|'})
				if bytes.Equal(bytes.TrimSpace(one), m.method()) {
					return 1
				}
			}
			return -1
		}
	}
	var known uint64
	var others []string
	for name := range strings.SplitSeq(a.list[0].str, "|") {
		name = strings.TrimSpace(name)
		if !sipframe.IsToken([]byte(name)) {
			k.rep.errorf(a.list[0].expr.Pos(), "%q is no method: methods are joined by |", clip(name))
			return nil
		}
		if upper := strings.ToUpper(name); sipframe.MethodOf([]byte(upper)) != sipframe.OtherMethod {
			name = upper
		}
		if method := sipframe.MethodOf([]byte(name)); method != sipframe.OtherMethod {
			known |= 1 << method
		} else {
			others = append(others, name)
		}
	}
	return func(m *Machine) int {
		method := m.methodOf()
		if method != sipframe.OtherMethod {
			return Yes(known&(1<<method) != 0)
		}
		for _, o := range others {
			if string(m.method()) == o {
				return 1
			}
		}
		return -1
	}
}

// headerFunctions of sipmsgops change headers. They show in what is forwarded;
// variables give the message as it came.
func headerFunctions() map[string]*Function {
	fs := map[string]*Function{
		"append_to_reply": textFunction("sipmsgops", `append_to_reply("Name: value\r\n")`, Requests, func(m *Machine, b []byte) error {
			return m.c.AppendToReply(b)
		}),
		"append_hf": {module: "sipmsgops", Usage: `append_hf("Name: value\r\n"[, "Name of the header before"])`, Args: []ArgKind{HeaderArg, HeaderArg}, Min: 1, Routes: Messages,
			Build: addHeader(func(m *Machine, text []byte) error { return m.c.AppendHeader(text) },
				func(m *Machine, name, text []byte) error { return m.c.AppendHeaderAfter(name, text) })},
		"insert_hf": {module: "sipmsgops", Usage: `insert_hf("Name: value\r\n"[, "Name of the header behind"])`, Args: []ArgKind{HeaderArg, HeaderArg}, Min: 1, Routes: Messages,
			Build: addHeader(func(m *Machine, text []byte) error { return m.c.InsertHeader(text) },
				func(m *Machine, name, text []byte) error { return m.c.InsertHeaderBefore(name, text) })},
		"remove_hf_re": {module: "sipmsgops", Usage: `remove_hf_re("regular expression")`, Args: []ArgKind{RegexArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			re := a.expression(0)
			return func(m *Machine) int {
				r := re(m)
				return Yes(r != nil && m.c.RemoveHeaderFunc(func(h *sipframe.Header) bool { return r.Match(m.msg.Bytes(h.Name)) }) > 0)
			}
		}},
		"append_time": {module: "sipmsgops", Usage: "append_time()", Routes: Messages, Build: func(a *Args) Action {
			return func(m *Machine) int {
				from := len(m.arena)
				m.arena = m.Now().UTC().AppendFormat(append(m.arena, "Date: "...), dateFormat)
				return m.Reported(a.at, m.c.AppendHeader(m.arena[from:]))
			}
		}},
	}
	fs["append_to_reply"].Args = []ArgKind{HeaderArg}
	fs["change_reply_status"] = &Function{module: "sipmsgops", Usage: `change_reply_status(code, "reason")`, Args: []ArgKind{IntArg, TextArg}, Min: 2,
		Routes: Routes(OnReplyRoute), Build: StatusAction(func(m *Machine, at *Site, code int, reason []byte) int {
			return m.Reported(at, m.c.SetStatus(code, reason))
		})}
	for name, remove := range map[string]func(m *Machine, b []byte) int{
		"remove_hf":      func(m *Machine, b []byte) int { return m.c.RemoveHeader(b) },
		"remove_hf_glob": func(m *Machine, b []byte) int { return m.c.RemoveHeaderGlob(b) },
	} {
		fs[name] = &Function{module: "sipmsgops", Usage: name + `("Name")`, Args: []ArgKind{TextArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			text := a.list[0].text
			return func(m *Machine) int {
				b, ok := text(m)
				return Yes(ok && remove(m, b) > 0)
			}
		}}
	}
	return fs
}

// dateFormat is SIP-date of RFC 3261 25.1.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 GMT"

func addHeader(plain func(m *Machine, text []byte) error, beside func(m *Machine, name, text []byte) error) func(*Args) Action {
	return func(a *Args) Action {
		text, name := a.list[0].text, a.list[1]
		return func(m *Machine) int {
			b, ok := text(m)
			if !ok {
				return m.Fail(a.at, "the header is NULL")
			}
			b = withoutLineEnd(b)
			if !name.given {
				return m.Reported(a.at, plain(m, b))
			}
			n, ok := name.text(m)
			if !ok {
				return m.Fail(a.at, "the name is NULL")
			}
			return m.Reported(a.at, beside(m, n, b))
		}
	}
}

// withoutLineEnd drops the line end that scripts write behind a header, CRLF or
// a bare LF.
func withoutLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte{'\n'})
	return bytes.TrimSuffix(b, []byte{'\r'})
}
