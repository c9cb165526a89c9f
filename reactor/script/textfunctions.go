package script

import (
	"regexp"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// textFunctions are those of the module textops: they search and replace in the
// message's text.
func textFunctions() map[string]*Function {
	fs := map[string]*Function{
		"search": {module: "textops", Usage: `search("regular expression")`, Args: []ArgKind{RegexArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			re := a.expression(0)
			return func(m *Machine) int {
				r := re(m)
				return Yes(r != nil && r.Match(m.msg.Raw()))
			}
		}},
		"search_body": {module: "textops", Usage: `search_body("regular expression")`, Args: []ArgKind{RegexArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			re := a.expression(0)
			return func(m *Machine) int {
				r := re(m)
				return Yes(r != nil && r.Match(m.msg.Body()))
			}
		}},
		"subst":      substFunction("subst", Messages, func(m *Machine, s *substitution, at *Site) int { return m.substMessage(s, m.msg.HeadersOffset(), at) }),
		"subst_body": substFunction("subst_body", Messages, func(m *Machine, s *substitution, at *Site) int { return m.substMessage(s, m.msg.BodyOffset(), at) }),
		"subst_uri": substFunction("subst_uri", Requests, func(m *Machine, s *substitution, at *Site) int {
			out, ok := s.apply(m, m.ruri())
			if !ok {
				return -1
			}
			return m.Reported(at, m.c.SetRequestURI(out))
		}),
		"subst_user": substFunction("subst_user", Requests, func(m *Machine, s *substitution, at *Site) int {
			out, ok := s.apply(m, m.user())
			if !ok {
				return -1
			}
			return m.Reported(at, m.c.SetUser(out))
		}),
	}
	for name, spec := range map[string]struct{ body, all, keep bool }{
		"replace": {}, "replace_all": {all: true}, "replace_body": {body: true}, "replace_body_all": {body: true, all: true},
		"search_append": {keep: true}, "search_append_body": {body: true, keep: true},
	} {
		kind := HeaderArg
		if spec.body {
			kind = TextArg
		}
		fs[name] = &Function{module: "textops", Usage: name + `("regular expression", "text")`, Args: []ArgKind{RegexArg, kind}, Min: 2, Routes: Messages, Build: func(a *Args) Action {
			return replaceAction(a, a.expression(0), spec.body, spec.all, spec.keep)
		}}
	}
	fs["replace_body_atonce"] = &Function{module: "textops", Usage: `replace_body_atonce("regular expression", "text")`, Args: []ArgKind{BodyRegexArg, TextArg}, Min: 2, Routes: Messages, Build: func(a *Args) Action {
		return replaceAction(a, a.expression(0), true, true, false)
	}}
	return fs
}

// replaceAction puts the second argument in the place of what matches, or with
// keep behind it.
func replaceAction(a *Args, re func(m *Machine) *regexp.Regexp, body, all, keep bool) Action {
	text := a.list[1].text
	parts := []substPart{{group: -1, text: func(m *Machine) []byte {
		b, _ := text(m)
		return b
	}}}
	if keep {
		parts = append([]substPart{{group: 0}}, parts...)
	}
	return func(m *Machine) int {
		r := re(m)
		if r == nil {
			return -1
		}
		from := m.msg.HeadersOffset()
		if body {
			from = m.msg.BodyOffset()
		}
		return m.substMessage(&substitution{re: r, global: all, parts: parts}, from, a.at)
	}
}

func substFunction(name string, where RouteSet, do func(m *Machine, s *substitution, at *Site) int) *Function {
	return &Function{module: "textops", Usage: name + `("/expression/replacement/flags")`, Args: []ArgKind{FixedArg}, Min: 1, Routes: where, Build: func(a *Args) Action {
		k := a.k
		str, ok := a.list[0].expr.(*String)
		if !ok {
			k.rep.errorf(a.list[0].expr.Pos(), "the substitution is a string in quotes: %s", functions[name].Usage)
			return nil
		}
		s := k.substitution(str)
		if s == nil {
			return nil
		}
		return func(m *Machine) int { return do(m, s, a.at) }
	}}
}

// substMessage replaces what matches in the message from an offset on.
func (m *Machine) substMessage(s *substitution, from uint32, at *Site) int {
	raw := m.msg.Raw()
	if from == m.msg.BodyOffset() && m.c.BodySet() { // what came is not there any more
		out, ok := s.apply(m, m.c.Body())
		if !ok {
			return -1
		}
		return m.Reported(at, m.c.SetBody(nil, out))
	}
	if int(from) >= len(raw) {
		return -1
	}
	n := 1
	if s.global {
		n = -1
	}
	found := s.re.FindAllSubmatchIndex(raw[from:], n)
	for _, f := range found {
		w := m.work[:0]
		m.work = nil
		head := from+uint32(f[0]) < m.msg.BodyOffset()
		for _, p := range s.parts {
			switch {
			case p.group < 0:
				at := len(w)
				if w = append(w, p.text(m)...); p.value && head {
					proxy.OneLine(w[at:])
				}
			case f[2*p.group] >= 0:
				w = append(w, raw[int(from)+f[2*p.group]:int(from)+f[2*p.group+1]]...)
			}
		}
		m.work = w
		span := sipframe.Span{Off: from + uint32(f[0]), Len: uint32(f[1] - f[0])}
		if err := m.c.Replace(span, w); err != nil {
			return m.Reported(at, err)
		}
	}
	return Yes(len(found) > 0)
}
