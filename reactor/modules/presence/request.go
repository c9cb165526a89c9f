package presence

import (
	"bytes"
	"crypto/rand"
	"strings"

	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// refusal is a final response other than 200.
type refusal struct {
	code    int
	reason  string
	headers string
}

func (r *refusal) respond(m *Module, x *script.Machine, at *script.Site) int {
	if r.headers != "" {
		if err := x.Context().AppendToResponse([]byte(r.headers)); err != nil {
			return x.Reported(at, err)
		}
	}
	if err := m.signaling.Respond(x, r.code, []byte(r.reason)); err != nil {
		return x.Reported(at, err)
	}
	return -1
}

// eventOf reads Event: the package, and its id.
func (m *Module) eventOf(msg *sipframe.Message) (e Event, id string, bad *refusal) {
	if headers := signaling.Unsupported(msg); headers != "" {
		return nil, "", &refusal{code: 420, reason: "Bad Extension", headers: headers}
	}
	value := string(msg.Value(sipframe.HeaderEvent))
	if value == "" {
		return nil, "", &refusal{code: 489, reason: "Missing Event Header", headers: "Allow-Events: " + m.named() + "\r\n"}
	}
	name, params, _ := strings.Cut(value, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	for p := range strings.SplitSeq(params, ";") {
		key, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch {
		case strings.EqualFold(key, "id"):
			id = v
		case strings.EqualFold(key, "sla") && v == "":
			name += ";sla"
		}
	}
	if e = m.events[name]; e == nil || !token(id) {
		return nil, "", &refusal{code: 489, reason: "Bad Event", headers: "Allow-Events: " + m.named() + "\r\n"}
	}
	return e, id, nil
}

// accepts reports whether a subscriber takes bodies of a type; without Accept it takes those of the package
// (RFC 6665 3.1.3).
func accepts(msg *sipframe.Message, kind string) bool {
	if msg.Find(sipframe.HeaderAccept) < 0 {
		return true
	}
	main, _, _ := strings.Cut(kind, "/")
	values := msg.Values(sipframe.HeaderAccept)
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		one, _, _ := bytes.Cut(msg.Bytes(v), []byte(";"))
		one = bytes.TrimSpace(one)
		if sipframe.EqualFold(one, kind) || sipframe.EqualFold(one, main+"/*") || string(one) == "*/*" {
			return true
		}
	}
	return false
}

func token(s string) bool { return s == "" || sipframe.IsToken([]byte(s)) }

// lifetime reads Expires, in seconds: at most limit, which is what it is without the
// header.
func lifetime(msg *sipframe.Message, limit int64) (int64, *refusal) {
	text := msg.Value(sipframe.HeaderExpires)
	if len(text) == 0 {
		return limit, nil
	}
	n, ok := sipframe.ParseUint(text, 1<<32-1)
	if !ok {
		return 0, &refusal{code: 400, reason: "Bad Expires"}
	}
	return min(int64(n), limit), nil
}

// presentity is the URI that a request is about: sip:user@host of the Request-URI.
func presentity(uri []byte) (string, bool) {
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil || !u.HasUser() {
		return "", false
	}
	return "sip:" + string(u.User.In(uri)) + "@" + strings.ToLower(string(u.Host.In(uri))), true
}

// header is the value of a header by its name.
func header(msg *sipframe.Message, name string) string {
	i := msg.FindName([]byte(name))
	if i < 0 {
		return ""
	}
	return string(bytes.TrimSpace(msg.Header(i).Value.In(msg.Raw())))
}

// fresh makes a name that nobody guesses.
func fresh() string { return rand.Text() }

var noUser = &refusal{code: 404, reason: "Not Found"}
