// Package options is OpenSIPS' module options: it answers OPTIONS requests to this
// server with what it can do.
package options

import (
	"strings"

	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// module is what the parameters say: values of headers, "" leaves one out.
type module struct {
	accept, encoding, language, support string
	known                               []string // what support names
	headers                             []byte   // of the response
	signaling                           *signaling.Module
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{accept: "*/*", language: "en"}
	return &script.Module{
		Name:  "options",
		Help:  "Answers OPTIONS requests that ask whether this server is alive and what it can do.",
		Needs: []string{"signaling"},
		Parameters: []script.Parameter{
			{Name: "accept", Type: script.StringParam, Default: "*/*", Help: "Accept of the answer; empty leaves it out.", Set: script.Into(&m.accept)},
			{Name: "accept_encoding", Type: script.StringParam, Help: "Accept-Encoding of the answer.", Set: script.Into(&m.encoding)},
			{Name: "accept_language", Type: script.StringParam, Default: "en", Help: "Accept-Language of the answer.", Set: script.Into(&m.language)},
			{Name: "support", Type: script.StringParam, Help: "Supported of the answer.", Set: script.Into(&m.support)},
		},
		Functions: []script.Function{{
			Name: "options_reply", Usage: "options_reply()", Routes: script.Routes(script.RequestRoute),
			Help:  "Answers an OPTIONS request whose Request-URI has no user, with 420 if it requires what the parameter support does not name; false for any other request.",
			Build: m.build,
		}},
		Check: m.check,
	}
}

func (m *module) check(l *script.Loading) {
	m.signaling, _ = l.Instance("signaling").(*signaling.Module)
	for name := range strings.SplitSeq(m.support, ",") {
		m.known = append(m.known, strings.TrimSpace(name))
	}
	for _, h := range []struct{ param, name, value string }{
		{"accept", "Accept", m.accept}, {"accept_encoding", "Accept-Encoding", m.encoding},
		{"accept_language", "Accept-Language", m.language}, {"support", "Supported", m.support},
	} {
		if h.value == "" {
			continue
		}
		for _, c := range []byte(h.value) {
			if c < ' ' || c == 0x7f {
				l.Errorf(l.Place(h.param), "%s is the value of a header, without control characters", h.param)
				break
			}
		}
		m.headers = append(append(append(append(m.headers, h.name...), ": "...), h.value...), "\r\n"...)
	}
}

func (m *module) build(a *script.Args) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		c := x.Context()
		var u sipframe.URI
		if c.Msg.Method() != sipframe.OPTIONS || sipframe.ParseURI(c.RequestURI(), &u) != nil || u.User.Len > 0 {
			return -1
		}
		code, headers := 200, m.headers
		if c.Msg.Find(sipframe.HeaderRequire) >= 0 {
			if missing := signaling.Unsupported(c.Msg, m.known...); missing != "" {
				code, headers = 420, []byte(missing)
			}
		}
		if len(headers) > 0 {
			if err := c.AppendToResponse(headers); err != nil {
				return x.Reported(at, err)
			}
		}
		return x.Responded(at, m.signaling.Respond(x, code, nil))
	}
}
