package script

// route reads what stands behind the word that begins a route.
func (p *parser) route(t token, k RouteKind) item {
	r := &routeItem{node: node{t.pos}, Kind: k}
	if p.accept(tokLBracket) {
		if !p.routeName(r) {
			p.resync()
			return nil
		}
	}
	switch {
	case r.Name == "" && (k == TimerRoute || k == EventRoute || k == FailureRoute || k == BranchRoute):
		p.rep.errorf(t.pos, "%v needs a name: %v[name]", k, k)
	case r.Name != "" && (k == ErrorRoute || k == LocalRoute || k == StartupRoute):
		p.rep.errorf(t.pos, "there is only one %v, it has no name", k)
	}
	if p.peek().kind != tokLBrace {
		p.wrong(p.peek(), `"{" and the statements of the `+k.String())
		p.resync()
		return nil
	}
	p.loops = 0
	r.Body = p.block()
	return r
}

// routeName reads name], name(a, b)], name, seconds] or name, sync].
func (p *parser) routeName(r *routeItem) bool {
	n := p.next()
	switch n.kind {
	case tokIdent, tokNumber, tokString:
		r.Name = n.text
	default:
		p.wrong(n, "the name of the route")
		return false
	}
	if r.Name == "0" && r.Kind == RequestRoute {
		r.Name = ""
	}
	if p.accept(tokLParen) && !p.accept(tokRParen) {
		for {
			a := p.next()
			switch a.kind {
			case tokIdent:
				r.Params = append(r.Params, a.text)
			case tokVar:
				v := p.varAt(a)
				if v == nil {
					return false
				}
				r.Params = append(r.Params, v.Name)
			default:
				p.wrong(a, "the name of a parameter")
				return false
			}
			if p.accept(tokRParen) {
				break
			}
			if _, ok := p.expect(tokComma, " or \")\""); !ok {
				return false
			}
		}
	}
	if r.Kind == TimerRoute {
		if _, ok := p.expect(tokComma, " and the seconds: timer_route[name, seconds]"); !ok {
			return false
		}
		s, ok := p.expect(tokNumber, ", the seconds: timer_route[name, seconds]")
		if !ok {
			return false
		}
		if s.num < 1 {
			p.rep.errorf(s.pos, "a timer runs every 1 second or more, not %d", s.num)
		}
		r.Seconds = s.num
	}
	if r.Kind == EventRoute && p.accept(tokComma) {
		if t := p.next(); t.text != "sync" && t.text != "async" {
			p.wrong(t, "sync or async")
			return false
		}
	}
	_, ok := p.expect(tokRBracket, "")
	return ok
}

// block reads { statements }. After a wrong statement it goes on with the next.
func (p *parser) block() *blockStmt {
	open := p.next()
	b := &blockStmt{node: node{open.pos}}
	if p.depth++; p.depth > maxNesting {
		p.rep.errorf(open.pos, "blocks are nested more than %d deep", maxNesting)
		p.skipBlock()
		p.depth--
		return b
	}
	defer func() { p.depth-- }()
	for {
		t := p.peek()
		switch t.kind {
		case tokRBrace:
			p.next()
			return b
		case tokEOF:
			p.rep.open(open.pos, "the { that opens here has no }")
			return b
		}
		if p.rep.full() {
			p.skipBlock()
			return b
		}
		if s := p.statement(); s != nil {
			b.List = append(b.List, s)
		}
	}
}

// skipBlock leaves a block whose { has been read.
func (p *parser) skipBlock() {
	for depth := 1; ; {
		switch p.next().kind {
		case tokEOF:
			return
		case tokLBrace:
			depth++
		case tokRBrace:
			if depth--; depth == 0 {
				return
			}
		}
	}
}

// recover goes on behind the next ; or before a } after a wrong statement.
func (p *parser) recover() {
	for depth := 0; ; p.next() {
		switch p.peek().kind {
		case tokEOF:
			return
		case tokSemicolon:
			if depth == 0 {
				p.next()
				return
			}
		case tokLBrace:
			depth++
		case tokRBrace:
			if depth == 0 {
				return
			}
			if depth--; depth == 0 {
				p.next()
				return
			}
		}
	}
}
