package script

// assignments are the operators that assign.
var assignments = map[kind]bool{
	tokAssign: true, tokColonEq: true, tokPlusEq: true, tokMinusEq: true, tokMulEq: true, tokDivEq: true,
	tokModEq: true, tokAndEq: true, tokOrEq: true, tokXorEq: true,
}

// statement reads a statement with its ; if it takes one. nil: there was none,
// or it was wrong.
func (p *parser) statement() statement {
	t := p.peek()
	switch t.kind {
	case tokSemicolon:
		p.next()
		return nil
	case tokLBrace:
		return p.block()
	case tokVar:
		return p.assign()
	case tokIdent:
	case tokBad:
		p.recover()
		return nil
	default:
		p.wrong(t, "a statement")
		if t.kind != tokRBrace {
			p.next()
		}
		p.recover()
		return nil
	}
	switch t.text {
	case "if":
		return p.ifStmt()
	case "while":
		return p.whileStmt()
	case "for":
		return p.forStmt()
	case "switch":
		return p.switchStmt()
	case "return":
		return p.returnStmt()
	case "exit", "drop", "break", "esac":
		return p.jump()
	case "else":
		p.next()
		p.rep.errorf(t.pos, "else without an if before it (no ; between } and else)")
		return nil
	case "case", "default":
		p.next()
		p.rep.errorf(t.pos, "%s outside of a switch", t.text)
		p.recover()
		return nil
	}
	return p.callStmt()
}

// body reads the statement that an if or a loop governs. It is never nil.
func (p *parser) body() statement {
	t := p.peek()
	if t.kind == tokRBrace || t.kind == tokEOF {
		p.wrong(t, "a statement")
		return &blockStmt{node: node{t.pos}}
	}
	if p.depth++; p.depth > maxNesting {
		p.rep.errorf(t.pos, "statements are nested more than %d deep", maxNesting)
		p.recover()
		p.depth--
		return &blockStmt{node: node{t.pos}}
	}
	defer func() { p.depth-- }()
	if s := p.statement(); s != nil {
		return s
	}
	return &blockStmt{node: node{t.pos}}
}

// semicolon ends a statement.
func (p *parser) semicolon(what string) {
	if p.accept(tokSemicolon) {
		return
	}
	t := p.peek()
	if t.kind == tokBad {
		p.recover()
		return
	}
	p.wrong(t, `";" behind `+what)
	if t.kind != tokRBrace && t.kind != tokIdent && t.kind != tokVar {
		p.recover()
	}
}

// ifStmt reads an if with its else ifs, of which there can be many.
func (p *parser) ifStmt() statement {
	var first *ifStmt
	last := new(statement)
	for {
		t := p.next()
		s := &ifStmt{node: node{t.pos}}
		if s.Cond = p.condition("if"); s.Cond == nil {
			s.Cond = p.skipCondition(t)
		}
		s.Then = p.body()
		if first == nil {
			first = s
		}
		*last = s
		if !p.word("else") {
			return first
		}
		p.next()
		if !p.word("if") {
			s.Else = p.body()
			return first
		}
		last = &s.Else
	}
}

// condition reads (expression).
func (p *parser) condition(word string) expression {
	if _, ok := p.expect(tokLParen, " behind "+word); !ok {
		return nil
	}
	x := p.expr()
	if x == nil {
		return nil
	}
	if t := p.peek(); assignments[t.kind] {
		p.rep.errorf(t.pos, "%v assigns, a condition compares: ==", t)
		return nil
	}
	if _, ok := p.expect(tokRParen, ", the end of the condition"); !ok {
		return nil
	}
	return x
}

// skipCondition goes on behind a condition that was wrong, where the statement that
// it governs begins, so that this and an else are read as what they are. It gives
// a condition to go on with.
func (p *parser) skipCondition(t token) expression {
	any := &numberExpr{node: node{t.pos}, N: 1}
	for depth := 1; ; p.next() { // the bracket that opened it was most likely there
		switch p.peek().kind {
		case tokLBrace, tokRBrace, tokSemicolon, tokEOF:
			return any
		case tokLParen:
			depth++
		case tokRParen:
			depth--
		case tokAnd, tokOr: // it closed a bracket inside
			depth = max(depth, 1)
		default:
			if depth <= 0 {
				return any
			}
		}
	}
}

func (p *parser) returnStmt() statement {
	t := p.next()
	s := &returnStmt{node: node{t.pos}}
	switch p.peek().kind {
	case tokSemicolon, tokRBrace:
	case tokLParen:
		p.next()
		for !p.accept(tokRParen) {
			if len(s.Values) > 0 {
				if _, ok := p.expect(tokComma, ` or ")"`); !ok {
					p.recover()
					return nil
				}
			}
			x := p.expr()
			if x == nil {
				p.recover()
				return nil
			}
			s.Values = append(s.Values, x)
		}
	default:
		x := p.expr()
		if x == nil {
			p.recover()
			return nil
		}
		s.Values = []expression{x}
	}
	p.semicolon("return")
	return s
}

func (p *parser) jump() statement {
	t := p.next()
	s := &jumpStmt{node: node{t.pos}, Word: t.text}
	if s.Word == "esac" {
		s.Word = "break"
	}
	if s.Word == "break" && p.loops == 0 {
		p.rep.errorf(t.pos, "break outside of a loop or switch")
	}
	if s.Word != "break" && p.accept(tokLParen) {
		p.expect(tokRParen, "")
	}
	p.semicolon(t.text)
	return s
}

func (p *parser) assign() statement {
	t := p.next()
	v := p.varAt(t)
	if v == nil {
		p.recover()
		return nil
	}
	op := p.next()
	if !assignments[op.kind] {
		p.wrong(op, "an assignment (= := += -= *= /= %= &= |= ^=) behind "+clip(t.text))
		if op.kind != tokSemicolon {
			p.recover()
		}
		return nil
	}
	s := &assignStmt{node: node{t.pos}, Target: v, Op: op.kind}
	if s.Value = p.expr(); s.Value == nil {
		p.recover()
		return nil
	}
	p.semicolon("the assignment")
	return s
}

func (p *parser) callStmt() statement {
	t := p.next()
	if p.peek().kind != tokLParen {
		near := ""
		if functions[t.text] == nil && (p.rep.words == nil || p.rep.words.functions[t.text] == nil) {
			near = hint(t.text, append(statementWords, p.rep.words.functionNames()...))
		}
		p.rep.errorf(t.pos, "%s is no statement%s; a function is called with (): %s()", clip(t.text), near, clip(t.text))
		p.recover()
		return nil
	}
	c := p.call(t)
	if c == nil {
		p.recover()
		return nil
	}
	p.semicolon(t.text + "(...)")
	return &callStmt{node: node{t.pos}, Call: c}
}

var statementWords = []string{"if", "while", "for", "switch", "return", "exit", "drop", "break", "route"}
