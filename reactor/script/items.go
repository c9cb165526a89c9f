package script

// maxBlank bounds how far the = of a global may stand behind its name for
// startsItem to see it.
const maxBlank = 256

// itemWords are the words that begin an item other than a global.
var itemWords = append([]string{"loadmodule", "modparam", "param", "socket", "listen"}, routeWords...)

// item reads one global, module or route.
func (p *parser) item() item {
	t := p.next()
	switch t.kind {
	case tokSemicolon:
		return nil
	case tokIdent:
	default:
		p.wrong(t, "a parameter, loadmodule, modparam or a route")
		p.resync()
		return nil
	}
	for k, w := range routeWords {
		if t.text == w {
			return p.route(t, RouteKind(k))
		}
	}
	switch t.text {
	case "loadmodule":
		return p.loadModule(t)
	case "modparam", "param":
		return p.modParam(t)
	default:
		return p.global(t)
	}
}

// resync goes on at the next item: at a word that begins a line.
func (p *parser) resync() {
	for depth := 0; ; {
		t := p.peek()
		switch t.kind {
		case tokEOF:
			return
		case tokLBrace:
			depth++
		case tokRBrace:
			depth = max(depth-1, 0)
		case tokIdent:
			if depth == 0 && t.pos.startsLine() {
				return
			}
			for _, w := range itemWords {
				if t.text == w && t.pos.startsLine() {
					return
				}
			}
		}
		p.next()
	}
}

func (p *parser) loadModule(t token) item {
	m := &loadModuleItem{node: node{t.pos}}
	s, ok := p.expect(tokString, `, the module as in loadmodule "proto_tls.so"`)
	if !ok {
		p.resync()
		return nil
	}
	m.Path = p.value(s)
	return m
}

func (p *parser) modParam(t token) item {
	m := &modParamItem{node: node{t.pos}}
	usage := `: ` + t.text + `("module", "parameter", value)`
	for i, at := range []*Literal{&m.Module, &m.Name, &m.Value} {
		before := tokLParen
		if i > 0 {
			before = tokComma
		}
		if _, ok := p.expect(before, usage); !ok {
			p.resync()
			return nil
		}
		if i < 2 {
			s, ok := p.expect(tokString, usage)
			if !ok {
				p.resync()
				return nil
			}
			*at = p.value(p.joined(s))
			continue
		}
		v, ok := p.constant()
		if !ok {
			p.resync()
			return nil
		}
		*at = v
	}
	if _, ok := p.expect(tokRParen, usage); !ok {
		p.resync()
		return nil
	}
	return m
}

// joined takes the strings that stand beside t, which is one: "a" "b" is "ab".
func (p *parser) joined(t token) token {
	for p.peek().kind == tokString {
		more := p.next()
		t.raw = append(t.raw[:len(t.text):len(t.text)], more.raw...)
		t.text += more.text
		t.end = more.end
	}
	return t
}

// value makes a constant of a token.
func (p *parser) value(t token) Literal {
	v := Literal{At: t.pos, Text: t.text}
	switch t.kind {
	case tokNumber:
		v.IsInt, v.Int = true, t.num
	case tokString:
		v.Quoted = true
	case tokIdent:
		switch t.text {
		case "yes", "true", "on", "enable":
			v.IsInt, v.Int = true, 1
		case "no", "false", "off", "disable":
			v.IsInt = true
		}
	}
	return v
}

// constant reads a number with an optional sign, a string or a word.
func (p *parser) constant() (Literal, bool) {
	t := p.next()
	switch t.kind {
	case tokString:
		return p.value(p.joined(t)), true
	case tokNumber, tokIdent, tokAddr:
		return p.value(t), true
	case tokMinus, tokPlus:
		n, ok := p.expect(tokNumber, "")
		if !ok {
			return Literal{}, false
		}
		v := p.value(n)
		v.At = t.pos
		if t.kind == tokMinus {
			v.Int, v.Text = -v.Int, "-"+v.Text
		}
		return v, true
	default:
		p.wrong(t, "a number, a string or a name")
		return Literal{}, false
	}
}

// kamailioRoutes are words of Kamailio for routes, and what OpenSIPS calls them.
var kamailioRoutes = map[string]string{"request_route": "route", "reply_route": "onreply_route"}

// global reads name = value. Sockets and names of hosts have words of their own.
func (p *parser) global(t token) item {
	name := t.text
	if name == "mem" && p.peek().kind == tokMinus {
		p.next()
		name += "-" + p.next().text
	}
	if p.peek().kind != tokAssign {
		if ours := kamailioRoutes[name]; ours != "" {
			p.rep.errorf(t.pos, "%s is Kamailio's, whose files are others: here it is %s", name, ours)
			p.resync()
			return nil
		}
		p.rep.errorf(t.pos, "unknown word %s%s, expected a parameter (name=value), loadmodule, modparam or a route",
			clip(name), hint(name, append(globalNames(), itemWords...)))
		p.resync()
		return nil
	}
	p.next()
	switch name {
	case "socket", "listen":
		return p.socket(t)
	case "alias":
		return p.hosts(t)
	case "dst_blacklist":
		return &globalItem{node: node{t.pos}, Name: name, Value: p.blacklist(t)}
	}
	g := &globalItem{node: node{t.pos}, Name: name}
	if spec := globals[name]; spec != nil && spec.host {
		g.Value = p.host(t)
		return g
	}
	if v := p.peek(); v.pos.Line() != t.pos.Line() && v.kind == tokIdent || v.kind == tokEOF {
		p.rep.errorf(t.pos, "%s= has no value", name)
		return nil
	}
	var ok bool
	if g.Value, ok = p.constant(); !ok {
		p.resync()
		return nil
	}
	switch name {
	case "auto_scaling_profile":
		p.scaling()
		return g
	case "mem-group":
		p.memoryGroup()
		return g
	}
	g.Extra = p.rest(g.Value.At.Line())
	return g
}

// rest takes what stands on the line behind a value.
func (p *parser) rest(line int) (extra []Literal) {
	for {
		t := p.peek()
		switch {
		case t.kind == tokEOF || t.kind == tokSemicolon || t.pos.Line() != line || p.startsItem(t):
			return extra
		case t.kind == tokIdent || t.kind == tokNumber || t.kind == tokString:
			extra = append(extra, p.value(p.next()))
		default:
			p.wrong(t, "the end of the line")
			p.resync()
			return extra
		}
	}
}
