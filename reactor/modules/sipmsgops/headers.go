package sipmsgops

import (
	"bytes"
	"encoding/json"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// removing builds a function that takes headers out by a text.
func removing(remove func(c *proxy.Context, b []byte) int) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		text := a.Text(0)
		return func(m *script.Machine) int {
			b, ok := text(m)
			return script.Yes(ok && remove(m.Context(), b) > 0)
		}
	}
}

func removeMatching(a *script.Args) script.Action {
	re := a.Regex(0)
	return func(m *script.Machine) int {
		r := re(m)
		return script.Yes(r != nil && m.Context().RemoveHeaderFunc(func(h *sipframe.Header) bool { return r.Match(m.Message().Bytes(h.Name)) }) > 0)
	}
}

// dateFormat is SIP-date of RFC 3261 25.1.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 GMT"

func appendTime(a *script.Args) script.Action {
	at := a.Site()
	return func(m *script.Machine) int {
		b := m.Now().UTC().AppendFormat(append(m.Borrow(), "Date: "...), dateFormat)
		m.Return(b)
		if m.Message().IsRequest() {
			return m.Reported(at, m.Context().AppendToResponse(b))
		}
		return m.Reported(at, m.Context().AppendHeader(b))
	}
}

func globHeaders(a *script.Args) script.Action {
	pattern, names, values := a.Text(0), a.AVP(1), a.AVP(2)
	return func(m *script.Machine) int {
		want, ok := pattern(m)
		if !ok {
			return -1
		}
		msg, found := m.Message(), false
		for i := range msg.NumHeaders() {
			h := msg.Header(i)
			if name := msg.Bytes(h.Name); proxy.NameMatches(want, name) {
				found = true
				names.Append(m, script.Text(m.Keep(name)))
				values.Append(m, script.Text(m.Keep(msg.Bytes(h.Value))))
			}
		}
		return script.Yes(found)
	}
}

// toJSON builds sip_to_json(). Bytes that are no UTF-8 are replaced, which JSON cannot do without.
func toJSON(a *script.Args) script.Action {
	set, at := a.Setter(0), a.Site()
	return func(m *script.Machine) int {
		msg := m.Message()
		first, _, _ := bytes.Cut(msg.Raw(), []byte("\r\n"))
		all := struct {
			FirstLine string              `json:"first_line"`
			Headers   map[string][]string `json:"headers"`
			Body      string              `json:"body"`
		}{string(first), make(map[string][]string), string(msg.Body())}
		for i := range msg.NumHeaders() {
			h := msg.Header(i)
			name := string(msg.Bytes(h.Name))
			all.Headers[name] = append(all.Headers[name], string(msg.Bytes(h.Value)))
		}
		b, err := json.Marshal(all)
		if err != nil {
			return m.Reported(at, err)
		}
		return set(m, script.Text(m.Keep(b)))
	}
}

func changeStatus(m *script.Machine, at *script.Site, code int, reason []byte) int {
	return m.Reported(at, m.Context().SetStatus(code, reason))
}

// adding builds a function that adds a header, or one beside another.
func adding(plain func(c *proxy.Context, text []byte) error, beside func(c *proxy.Context, name, text []byte) error) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		text, name, given, at := a.Text(0), a.Text(1), a.Given(1), a.Site()
		return func(m *script.Machine) int {
			b, ok := text(m)
			if !ok {
				return m.Fail(at, "the header is NULL")
			}
			b = withoutLineEnd(b)
			if !given {
				return m.Reported(at, plain(m.Context(), b))
			}
			n, ok := name(m)
			if !ok {
				return m.Fail(at, "the name is NULL")
			}
			return m.Reported(at, beside(m.Context(), n, b))
		}
	}
}

func appendURIHeader(a *script.Args) script.Action {
	before, behind, at := a.Text(0), a.Text(1), a.Site()
	return func(m *script.Machine) int {
		prefix, ok1 := before(m)
		suffix, ok2 := behind(m)
		if !ok1 || !ok2 {
			return m.Fail(at, "an argument is NULL")
		}
		return m.Reported(at, m.Context().AppendHeader(withoutLineEnd(m.Join(prefix, m.Message().RequestURI(), suffix))))
	}
}

// withoutLineEnd drops the line end that scripts write behind a header, CRLF or
// a bare LF.
func withoutLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte{'\n'})
	return bytes.TrimSuffix(b, []byte{'\r'})
}
