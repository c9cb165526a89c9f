package script

import (
	"regexp"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// textFunctions are those of the module textops: they search and replace in the
// message's text.
func textFunctions() map[string]*function {
	fs := map[string]*function{
		"search": {module: "textops", usage: `search("regular expression")`, args: []argKind{regexArg}, min: 1, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			re := a.expression(0)
			return func(m *machine) int {
				r := re(m)
				return yes(r != nil && r.Match(m.msg.Raw()))
			}
		}},
		"search_body": {module: "textops", usage: `search_body("regular expression")`, args: []argKind{regexArg}, min: 1, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			re := a.expression(0)
			return func(m *machine) int {
				r := re(m)
				return yes(r != nil && r.Match(m.msg.Body()))
			}
		}},
		"subst":      substFunction("subst", messageRoutes, func(m *machine, s *substitution, at *site) int { return m.substMessage(s, m.msg.HeadersOffset(), at) }),
		"subst_body": substFunction("subst_body", messageRoutes, func(m *machine, s *substitution, at *site) int { return m.substMessage(s, m.msg.BodyOffset(), at) }),
		"subst_uri": substFunction("subst_uri", requests, func(m *machine, s *substitution, at *site) int {
			out, ok := s.apply(m, m.ruri())
			if !ok {
				return -1
			}
			return m.reported(at, m.c.SetRequestURI(out))
		}),
		"subst_user": substFunction("subst_user", requests, func(m *machine, s *substitution, at *site) int {
			out, ok := s.apply(m, m.user())
			if !ok {
				return -1
			}
			return m.reported(at, m.c.SetUser(out))
		}),
	}
	for name, spec := range map[string]struct{ body, all, keep bool }{
		"replace": {}, "replace_all": {all: true}, "replace_body": {body: true}, "replace_body_all": {body: true, all: true},
		"search_append": {keep: true}, "search_append_body": {body: true, keep: true},
	} {
		kind := headArg
		if spec.body {
			kind = textArg
		}
		fs[name] = &function{module: "textops", usage: name + `("regular expression", "text")`, args: []argKind{regexArg, kind}, min: 2, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			return replaceAction(a, a.expression(0), spec.body, spec.all, spec.keep)
		}}
	}
	fs["replace_body_atonce"] = &function{module: "textops", usage: `replace_body_atonce("regular expression", "text")`, args: []argKind{bodyRegexArg, textArg}, min: 2, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
		return replaceAction(a, a.expression(0), true, true, false)
	}}
	return fs
}

// replaceAction puts the second argument in the place of what matches, or with
// keep behind it.
func replaceAction(a *arguments, re func(m *machine) *regexp.Regexp, body, all, keep bool) action {
	text := a.list[1].text
	parts := []substPart{{group: -1, text: func(m *machine) []byte {
		b, _ := text(m)
		return b
	}}}
	if keep {
		parts = append([]substPart{{group: 0}}, parts...)
	}
	return func(m *machine) int {
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

func substFunction(name string, where contexts, do func(m *machine, s *substitution, at *site) int) *function {
	return &function{module: "textops", usage: name + `("/expression/replacement/flags")`, args: []argKind{fixedArg}, min: 1, where: where, build: func(k *compiler, a *arguments) action {
		str, ok := a.list[0].expr.(*String)
		if !ok {
			k.rep.errorf(a.list[0].expr.Pos(), "the substitution is a string in quotes: %s", functions[name].usage)
			return nil
		}
		s := k.substitution(str)
		if s == nil {
			return nil
		}
		return func(m *machine) int { return do(m, s, a.at) }
	}}
}

// substMessage replaces what matches in the message from an offset on.
func (m *machine) substMessage(s *substitution, from uint32, at *site) int {
	raw := m.msg.Raw()
	if from == m.msg.BodyOffset() && m.c.BodySet() { // what came is not there any more
		out, ok := s.apply(m, m.c.Body())
		if !ok {
			return -1
		}
		return m.reported(at, m.c.SetBody(nil, out))
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
			return m.reported(at, err)
		}
	}
	return yes(len(found) > 0)
}
