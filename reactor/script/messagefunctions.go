package script

import (
	"bytes"
	"strings"

	"sipreactor/sipframe"
)

// methodFunctions of sipmsgops ask about the message.
func methodFunctions() map[string]*function {
	return map[string]*function{
		"is_method": {module: "sipmsgops", usage: `is_method("INVITE|ACK")`, args: []argKind{textArg}, min: 1, where: messageRoutes, build: buildIsMethod},
		"has_totag": {module: "sipmsgops", also: "uri", usage: "has_totag()", where: messageRoutes, build: func(*compiler, *arguments) action {
			return func(m *machine) int { return yes(m.c.HasToTag()) }
		}},
		"has_body": {module: "sipmsgops", usage: `has_body(["application/sdp"])`, args: []argKind{textArg}, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			mime := a.list[0]
			return func(m *machine) int {
				if !m.c.HasBody() || !mime.given {
					return yes(m.c.HasBody())
				}
				want, ok := mime.text(m)
				typ, _, _ := bytes.Cut(m.msg.Value(sipframe.HeaderContentType), []byte{';'})
				return yes(ok && sipframe.EqualFoldBytes(bytes.TrimSpace(typ), want))
			}
		}},
		"is_present_hf": {module: "sipmsgops", usage: `is_present_hf("Name")`, args: []argKind{textArg}, min: 1, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			name := a.list[0].text
			return func(m *machine) int {
				n, ok := name(m)
				return yes(ok && m.msg.FindName(n) >= 0)
			}
		}},
	}
}

// buildIsMethod makes is_method(), for constant names without looking at text.
func buildIsMethod(k *compiler, a *arguments) action {
	if !a.list[0].fixed {
		names := a.list[0].text
		return func(m *machine) int {
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
	return func(m *machine) int {
		method := m.methodOf()
		if method != sipframe.OtherMethod {
			return yes(known&(1<<method) != 0)
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
func headerFunctions() map[string]*function {
	fs := map[string]*function{
		"append_hf": {module: "sipmsgops", usage: `append_hf("Name: value\r\n"[, "Name of the header before"])`, args: []argKind{headArg, headArg}, min: 1, where: messageRoutes,
			build: addHeader(func(m *machine, text []byte) error { return m.c.AppendHeader(text) },
				func(m *machine, name, text []byte) error { return m.c.AppendHeaderAfter(name, text) })},
		"insert_hf": {module: "sipmsgops", usage: `insert_hf("Name: value\r\n"[, "Name of the header behind"])`, args: []argKind{headArg, headArg}, min: 1, where: messageRoutes,
			build: addHeader(func(m *machine, text []byte) error { return m.c.InsertHeader(text) },
				func(m *machine, name, text []byte) error { return m.c.InsertHeaderBefore(name, text) })},
		"remove_hf_re": {module: "sipmsgops", usage: `remove_hf_re("regular expression")`, args: []argKind{regexArg}, min: 1, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			re := a.expression(0)
			return func(m *machine) int {
				r := re(m)
				return yes(r != nil && m.c.RemoveHeaderFunc(func(h *sipframe.Header) bool { return r.Match(m.msg.Bytes(h.Name)) }) > 0)
			}
		}},
		"append_time": {module: "sipmsgops", usage: "append_time()", where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			return func(m *machine) int {
				from := len(m.arena)
				m.arena = m.now().UTC().AppendFormat(append(m.arena, "Date: "...), dateFormat)
				return m.reported(a.at, m.c.AppendHeader(m.arena[from:]))
			}
		}},
	}
	for name, remove := range map[string]func(m *machine, b []byte) int{
		"remove_hf":      func(m *machine, b []byte) int { return m.c.RemoveHeader(b) },
		"remove_hf_glob": func(m *machine, b []byte) int { return m.c.RemoveHeaderGlob(b) },
	} {
		fs[name] = &function{module: "sipmsgops", usage: name + `("Name")`, args: []argKind{textArg}, min: 1, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			text := a.list[0].text
			return func(m *machine) int {
				b, ok := text(m)
				return yes(ok && remove(m, b) > 0)
			}
		}}
	}
	return fs
}

// dateFormat is SIP-date of RFC 3261 25.1.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 GMT"

func addHeader(plain func(m *machine, text []byte) error, beside func(m *machine, name, text []byte) error) func(*compiler, *arguments) action {
	return func(_ *compiler, a *arguments) action {
		text, name := a.list[0].text, a.list[1]
		return func(m *machine) int {
			b, ok := text(m)
			if !ok {
				return m.fail(a.at, "the header is NULL")
			}
			b = withoutLineEnd(b)
			if !name.given {
				return m.reported(a.at, plain(m, b))
			}
			n, ok := name.text(m)
			if !ok {
				return m.fail(a.at, "the name is NULL")
			}
			return m.reported(a.at, beside(m, n, b))
		}
	}
}

// withoutLineEnd drops the line end that scripts write behind a header, CRLF or
// a bare LF.
func withoutLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte{'\n'})
	return bytes.TrimSuffix(b, []byte{'\r'})
}
