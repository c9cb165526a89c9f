// Package textops is OpenSIPS' module textops: it searches and replaces in the text
// of messages. Changes show in what is sent.
package textops

import (
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &script.Module{
		Name: "textops",
		Help: "Searches and replaces in the text of messages.",
		Functions: []script.Function{
			{Name: "search", Usage: `search("regular expression")`, Help: "Reports whether the message matches.", Args: []script.ArgKind{script.RegexArg}, Min: 1, Routes: script.Messages, Build: search},
			{Name: "search_body", Usage: `search_body("regular expression")`, Help: "Reports whether the body matches.", Args: []script.ArgKind{script.RegexArg}, Min: 1, Routes: script.Messages, Build: searchBody},
			{Name: "replace_body_atonce", Usage: `replace_body_atonce("regular expression", "text")`, Help: "Replaces all that matches in the body, where a dot takes line ends, too.",
				Args: []script.ArgKind{script.BodyRegexArg, script.TextArg}, Min: 2, Routes: script.Messages, Build: replacing(true, true, false)},
		},
	}
	for _, f := range []struct {
		name, help      string
		body, all, keep bool
	}{
		{"replace", "Replaces what matches first, behind the first line.", false, false, false},
		{"replace_all", "Replaces all that matches, behind the first line.", false, true, false},
		{"replace_body", "Replaces what matches first in the body.", true, false, false},
		{"replace_body_all", "Replaces all that matches in the body.", true, true, false},
		{"search_append", "Puts the text behind what matches first, behind the first line.", false, false, true},
		{"search_append_body", "Puts the text behind what matches first in the body.", true, false, true},
	} {
		kind := script.HeaderArg
		if f.body {
			kind = script.TextArg
		}
		m.Functions = append(m.Functions, script.Function{Name: f.name, Usage: f.name + `("regular expression", "text")`, Help: f.help,
			Args: []script.ArgKind{script.RegexArg, kind}, Min: 2, Routes: script.Messages, Build: replacing(f.body, f.all, f.keep)})
	}
	for _, f := range []struct {
		name, help string
		where      script.RouteSet
		do         func(m *script.Machine, s *script.Substitution, at *script.Site) int
	}{
		{"subst", "Substitutes in the headers and the body.", script.Messages, func(m *script.Machine, s *script.Substitution, at *script.Site) int {
			return s.InMessage(m, m.Message().HeadersOffset(), at)
		}},
		{"subst_body", "Substitutes in the body.", script.Messages, func(m *script.Machine, s *script.Substitution, at *script.Site) int {
			return s.InMessage(m, m.Message().BodyOffset(), at)
		}},
		{"subst_uri", "Substitutes in the Request-URI.", script.Requests, substURI},
		{"subst_user", "Substitutes in the user of the Request-URI.", script.Requests, substUser},
	} {
		m.Functions = append(m.Functions, script.Function{Name: f.name, Usage: f.name + `("/expression/replacement/flags")`,
			Help: f.help + " Flags are i, g and s; the replacement may hold \\1 to \\9 and variables. False if nothing matches.",
			Args: []script.ArgKind{script.FixedArg}, Min: 1, Routes: f.where, Build: func(a *script.Args) script.Action {
				s, at := a.Substitution(0), a.Site()
				if s == nil {
					return nil
				}
				return func(m *script.Machine) int { return f.do(m, s, at) }
			}})
	}
	return m
}

func search(a *script.Args) script.Action {
	re := a.Regex(0)
	return func(m *script.Machine) int {
		r := re(m)
		return script.Yes(r != nil && r.Match(m.Message().Raw()))
	}
}

func searchBody(a *script.Args) script.Action {
	re := a.Regex(0)
	return func(m *script.Machine) int {
		r := re(m)
		return script.Yes(r != nil && r.Match(m.Message().Body()))
	}
}

// replacing builds a function that puts its second argument in the place of what
// matches, or with keep behind it.
func replacing(body, all, keep bool) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		re, text, at := a.Regex(0), a.Text(1), a.Site()
		replacement := script.Replacement(func(m *script.Machine) []byte {
			b, _ := text(m)
			return b
		}, all, keep)
		return func(m *script.Machine) int {
			r := re(m)
			if r == nil {
				return -1
			}
			from := m.Message().HeadersOffset()
			if body {
				from = m.Message().BodyOffset()
			}
			s := replacement.With(r)
			return s.InMessage(m, from, at)
		}
	}
}

func substURI(m *script.Machine, s *script.Substitution, at *script.Site) int {
	uri, _ := m.RequestURI()
	out, ok := s.Apply(m, uri)
	if !ok {
		return -1
	}
	return m.Reported(at, m.Context().SetRequestURI(out))
}

func substUser(m *script.Machine, s *script.Substitution, at *script.Site) int {
	uri, u := m.RequestURI()
	if u == nil {
		return -1
	}
	out, ok := s.Apply(m, u.User.In(uri))
	if !ok {
		return -1
	}
	return m.Reported(at, m.Context().SetUser(out))
}
