// Package uri is OpenSIPS' module uri: parameters of the Request-URI, questions about
// URIs, and, as it had them until 3.0, whether To and From are those of who has
// authenticated.
package uri

import (
	"bytes"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := newModule()
	return &script.Module{
		Name:       "uri",
		Help:       "Asks about URIs, and changes the parameters of the Request-URI.",
		Parameters: m.parameters(),
		Check:      m.check, Start: m.start, Stop: m.stop, Trial: true,
		Lacks: []script.Lack{
			{Kind: script.LacksFunction, Names: "aaa_does_uri_exist aaa_does_uri_user_exist", Why: "there is no AAA in this version"},
			{Kind: script.LacksFunction, Names: "db_get_auth_id", Why: "sql_query_one() of sqlops asks the same table"},
			{Kind: script.LacksFunction, Names: "is_user", Why: "$au == \"name\" asks the same of the credentials"},
		},
		Functions: append(m.functions(), []script.Function{
			{Name: "uri_param", Usage: `uri_param("name"[, "value"])`, Help: "Reports whether the Request-URI has a parameter, with the value, or without any.",
				Args: []script.ArgKind{script.TextArg, script.TextArg}, Min: 1, Routes: script.Requests, Build: HasParam},
			{Name: "add_uri_param", Usage: `add_uri_param("name=value")`, Help: "Adds a parameter to the Request-URI, or changes it.",
				Args: []script.ArgKind{script.TextArg}, Min: 1, Routes: script.Requests, Build: script.TextAction(AddParam)},
			{Name: "del_uri_param", Usage: `del_uri_param("name")`, Help: "Takes a parameter away from the Request-URI.",
				Args: []script.ArgKind{script.TextArg}, Min: 1, Routes: script.Requests,
				Build: script.TextAction(RemoveParam)},
			{Name: "tel2sip", Usage: "tel2sip()", Help: "Makes a SIP URI of a Request-URI that is a tel URI, at the host of From (RFC 3261 19.1.6).", Routes: script.Requests, Build: Tel2SIP},
			{Name: "has_totag", Usage: "has_totag()", Help: "Reports whether To has a tag: whether the request belongs to a dialog.", Routes: script.Messages, Build: HasToTag},
			{Name: "is_uri_user_e164", Usage: `is_uri_user_e164("uri")`, Help: "Reports whether the user of the URI is a number with + and 2 to 15 digits.",
				Args: []script.ArgKind{script.TextArg}, Min: 1, Routes: script.Messages, Build: IsE164},
		}...),
	}
}

// HasToTag builds has_totag().
func HasToTag(*script.Args) script.Action {
	return func(m *script.Machine) int { return script.Yes(m.Context().HasToTag()) }
}

// HasParam builds uri_param() and ruri_has_param(): without a value they ask for a
// parameter that has none.
func HasParam(a *script.Args) script.Action {
	name, want, valued := a.Text(0), a.Text(1), a.Given(1)
	return func(m *script.Machine) int {
		n, ok := name(m)
		uri, u := m.RequestURI()
		if !ok || u == nil {
			return -1
		}
		value, found := script.FindParam(u.Params.In(uri), n)
		if !found || !valued {
			return script.Yes(found && len(value) == 0)
		}
		w, ok := want(m)
		return script.Yes(ok && sipframe.EqualFoldBytes(value, w))
	}
}

// AddParam adds name=value, or a name alone, to the Request-URI.
func AddParam(m *script.Machine, b []byte) error {
	name, text, ok := bytes.Cut(b, []byte{'='})
	if !ok {
		return m.Context().SetURIParam(name, nil)
	}
	return m.Context().SetURIParam(name, text)
}

// RemoveParam takes a parameter away from the Request-URI.
func RemoveParam(m *script.Machine, b []byte) error { return m.Context().RemoveURIParam(b) }

// IsE164 builds is_uri_user_e164().
func IsE164(a *script.Args) script.Action {
	uri := a.Text(0)
	return func(m *script.Machine) int {
		b, ok := uri(m)
		var u sipframe.URI
		if !ok || sipframe.ParseURI(b, &u) != nil {
			return -1
		}
		user := u.User.In(b)
		if len(user) < 3 || len(user) > 16 || user[0] != '+' {
			return -1
		}
		_, ok = sipframe.ParseUint(user[1:], 1<<63-1)
		return script.Yes(ok)
	}
}

// Tel2SIP builds tel2sip(). Any other Request-URI is left alone.
func Tel2SIP(a *script.Args) script.Action {
	at := a.Site()
	return func(m *script.Machine) int {
		uri, _ := m.RequestURI()
		if len(uri) < 5 || !sipframe.EqualFold(uri[:4], "tel:") {
			return 1
		}
		from, err := m.Message().From()
		var u sipframe.URI
		if err != nil || sipframe.ParseURI(from.URI.In(m.Message().Raw()), &u) != nil || u.Host.Len == 0 {
			return m.Fail(at, "From has no host to go by")
		}
		host := u.Host.In(from.URI.In(m.Message().Raw()))
		return m.Reported(at, m.Context().SetRequestURI(m.Join([]byte("sip:"), uri[4:], []byte{'@'}, host, []byte(";user=phone"))))
	}
}
