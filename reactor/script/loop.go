package script

// The statements that break can leave.

func (p *parser) whileStmt() statement {
	t := p.next()
	s := &whileStmt{node: node{t.pos}}
	if s.Cond = p.condition("while"); s.Cond == nil {
		s.Cond = p.skipCondition(t)
	}
	s.Body = p.loopBody()
	return s
}

func (p *parser) forStmt() statement {
	t := p.next()
	s := &forStmt{node: node{t.pos}}
	const usage = ": for ($var(x) in $(avp(y)[*])) ..."
	_, ok := p.expect(tokLParen, usage)
	for i, at := range []**varExpr{&s.Var, &s.Over} {
		if !ok {
			break
		}
		if i == 1 {
			if !p.word("in") {
				p.wrong(p.peek(), `"in"`+usage)
				ok = false
				break
			}
			p.next()
		}
		var v token
		if v, ok = p.expect(tokVar, usage); ok {
			*at = p.varAt(v)
			ok = *at != nil
		}
	}
	if ok {
		_, ok = p.expect(tokRParen, usage)
	}
	if !ok {
		p.recover()
		return nil
	}
	s.Body = p.loopBody()
	return s
}

// loopBody is a body that break can leave.
func (p *parser) loopBody() statement {
	p.loops++
	defer func() { p.loops-- }()
	return p.body()
}

func (p *parser) switchStmt() statement {
	t := p.next()
	s := &switchStmt{node: node{t.pos}}
	const usage = ": switch ($var(x)) { case 1: ... }"
	_, ok := p.expect(tokLParen, usage)
	if ok {
		var v token
		if v, ok = p.expect(tokVar, usage); ok {
			s.On = p.varAt(v)
			ok = s.On != nil
		}
	}
	if ok {
		_, ok = p.expect(tokRParen, usage)
	}
	if ok {
		_, ok = p.expect(tokLBrace, usage)
	}
	if !ok {
		p.recover()
		return nil
	}
	p.loops++
	defer func() { p.loops-- }()
	for !p.accept(tokRBrace) {
		c := p.caseOf(s)
		if c == nil {
			p.skipBlock()
			return nil
		}
		s.Cases = append(s.Cases, c)
	}
	if len(s.Cases) == 0 {
		p.rep.errorf(s.At, "a switch needs a case")
	}
	return s
}

func (p *parser) caseOf(s *switchStmt) *switchCase {
	t := p.next()
	c := &switchCase{node: node{t.pos}}
	switch {
	case t.kind == tokIdent && t.text == "default":
		c.Default = true
		for _, other := range s.Cases {
			if other.Default {
				p.rep.errorf(t.pos, "the switch has a default already, at line %d", other.At.Line())
			}
		}
	case t.kind == tokIdent && t.text == "case":
		var ok bool
		if c.Value, ok = p.constant(); !ok {
			return nil
		}
		if !c.Value.IsInt && !c.Value.Quoted {
			p.rep.errorf(c.Value.At, "%s is no value of a case: a number or a string in quotes", clip(c.Value.Text))
		}
		for _, other := range s.Cases {
			if !other.Default && other.Value.IsInt == c.Value.IsInt && other.Value.Int == c.Value.Int && other.Value.Text == c.Value.Text {
				p.rep.errorf(c.Value.At, "the same case is at line %d already", other.At.Line())
			}
		}
	default:
		p.wrong(t, "case, default or \"}\"")
		return nil
	}
	if _, ok := p.expect(tokColon, ""); !ok {
		return nil
	}
	for {
		t := p.peek()
		if t.kind == tokRBrace || t.kind == tokIdent && (t.text == "case" || t.text == "default") {
			return c
		}
		if t.kind == tokEOF {
			p.rep.open(s.At, "the switch that begins here has no }")
			return nil
		}
		if st := p.statement(); st != nil {
			c.Body = append(c.Body, st)
		}
	}
}
