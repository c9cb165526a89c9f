package script

import "strings"

// The operators bind as in OpenSIPS 3.x, which is not as in C:
//
//	||  &&                one level, from left to right
//	!
//	|  &  ^  <<  >>       one level, from left to right
//	+  -  *  /  %  .      one level, from left to right
//	~
//	== != < > <= >= =~ !~ one comparison, of a variable with a value
//
// So a || b && c is (a || b) && c, and 2 + 3 * 4 is 20. A comparison takes the
// variable and the value right beside it; anything longer wants brackets.

var bitOps = map[kind]bool{tokBitOr: true, tokBitAnd: true, tokBitXor: true, tokShl: true, tokShr: true}

var addOps = map[kind]bool{tokPlus: true, tokMinus: true, tokMul: true, tokDiv: true, tokMod: true, tokDot: true}

var compareOps = map[kind]bool{
	tokEq: true, tokNe: true, tokLt: true, tokGt: true, tokLe: true, tokGe: true, tokMatch: true, tokNoMatch: true,
}

// expr reads an expression; nil after an error.
func (p *parser) expr() expression {
	if p.depth++; p.depth > maxNesting {
		p.rep.errorf(p.peek().pos, "expressions are nested more than %d deep", maxNesting)
		p.depth--
		return nil
	}
	defer func() { p.depth-- }()
	x := p.not()
	for x != nil && (p.peek().kind == tokOr || p.peek().kind == tokAnd) {
		op := p.next()
		y := p.not()
		if y == nil {
			return nil
		}
		x = &binaryExpr{node: node{op.pos}, Op: op.kind, X: x, Y: y}
	}
	return x
}

func (p *parser) not() expression {
	return p.prefixed(tokNot, func() expression {
		return p.chain(bitOps, func() expression { return p.chain(addOps, p.tilde) })
	})
}

// prefixed reads an operand that any number of one unary operator may precede.
func (p *parser) prefixed(operator kind, operand func() expression) expression {
	if p.peek().kind != operator {
		return operand()
	}
	op := p.next()
	if p.depth++; p.depth > maxNesting {
		p.rep.errorf(op.pos, "expressions are nested more than %d deep", maxNesting)
		p.depth--
		return nil
	}
	defer func() { p.depth-- }()
	x := p.prefixed(operator, operand)
	if x == nil {
		return nil
	}
	return &unaryExpr{node: node{op.pos}, Op: operator, X: x}
}

// chain reads operands joined by operators of one level.
func (p *parser) chain(ops map[kind]bool, operand func() expression) expression {
	x := operand()
	for x != nil && ops[p.peek().kind] {
		op := p.next()
		if op.kind == tokDot {
			op.kind = tokPlus
		}
		y := operand()
		if y == nil {
			return nil
		}
		x = &binaryExpr{node: node{op.pos}, Op: op.kind, X: x, Y: y}
	}
	return x
}

func (p *parser) tilde() expression { return p.prefixed(tokTilde, p.comparison) }

func (p *parser) comparison() expression {
	x := p.primary()
	if x == nil || !compareOps[p.peek().kind] {
		return x
	}
	op := p.next()
	switch x.(type) {
	case *varExpr, *parenExpr, *wordExpr:
	default:
		p.rep.errorf(x.Pos(), "the left side of %v is a variable, or an expression in brackets", op)
		return nil
	}
	y := p.primary()
	if y == nil {
		return nil
	}
	if x, y = p.oldComparison(x, y); x == nil {
		return nil
	}
	b := &binaryExpr{node: node{op.pos}, Op: op.kind, X: x, Y: y}
	if t := p.peek(); compareOps[t.kind] {
		p.rep.errorf(t.pos, "two comparisons are joined by && or ||")
		return nil
	}
	return b
}

func (p *parser) primary() expression {
	t := p.next()
	at := node{t.pos}
	switch t.kind {
	case tokNumber:
		return &numberExpr{at, t.num}
	case tokMinus, tokPlus:
		n, ok := p.expect(tokNumber, " behind the sign")
		if !ok {
			return nil
		}
		if t.kind == tokMinus {
			n.num = -n.num
		}
		return &numberExpr{at, n.num}
	case tokString:
		t = p.joined(t)
		return &stringExpr{at, t.text, t.raw}
	case tokAddr:
		return &addrExpr{at, t.text}
	case tokVar:
		if v := p.varAt(t); v != nil {
			return v
		}
		return nil
	case tokLParen, tokLBracket:
		return p.paren(t)
	case tokIdent:
		if p.peek().kind == tokLParen {
			return p.call(t)
		}
		if t.text == "msg" && p.peek().kind == tokColon {
			return p.messageLength(t)
		}
		switch t.text {
		case "NULL", "null":
			return &nullExpr{at}
		case "yes", "true", "on", "enable":
			return &numberExpr{at, 1}
		case "no", "false", "off", "disable":
			return &numberExpr{at, 0}
		}
		if level, ok := parseLevel(t.text); ok && strings.HasPrefix(t.text, "L_") {
			return &numberExpr{at, int64(level)}
		}
		return &wordExpr{at, t.text}
	default:
		p.wrong(t, "a value: a variable, a number, a string, a function or brackets")
		switch t.kind {
		case tokLBrace, tokRBrace, tokRParen, tokSemicolon: // what follows is told by it
			p.ahead = append(p.ahead, t)
		}
		return nil
	}
}

// paren reads what is in ( ) or [ ]. [::1] is an address.
func (p *parser) paren(open token) expression {
	shut := tokRParen
	if open.kind == tokLBracket {
		shut = tokRBracket
		if a := p.peek(); a.kind == tokAddr {
			p.next()
			if _, ok := p.expect(shut, ""); !ok {
				return nil
			}
			return &addrExpr{node{open.pos}, a.text}
		}
	}
	x := p.expr()
	if x == nil {
		return nil
	}
	if _, ok := p.expect(shut, ""); !ok {
		return nil
	}
	return &parenExpr{node{open.pos}, x}
}

// call reads (arguments) behind a name. An argument may be left out: f(,"x").
func (p *parser) call(name token) expression {
	p.next()
	var args []expression
	var end Pos
	for first := true; ; first = false {
		t := p.peek()
		if t.kind == tokRParen {
			if !first {
				args = append(args, nil)
			}
			end = p.next().pos
			break
		}
		if t.kind == tokComma {
			p.next()
			args = append(args, nil)
			continue
		}
		x := p.expr()
		if x == nil {
			return nil
		}
		args = append(args, x)
		if p.peek().kind == tokRParen {
			end = p.next().pos
			break
		}
		if _, ok := p.expect(tokComma, ` or ")" in the call of `+name.text); !ok {
			return nil
		}
	}
	if name.text == "route" {
		c := &routeCallExpr{node: node{name.pos}}
		if len(args) == 0 || args[0] == nil {
			p.rep.errorf(name.pos, "route() needs the name of a route")
			return nil
		}
		c.Name, c.Args = args[0], args[1:]
		return c
	}
	return &callExpr{node: node{name.pos}, Func: name.text, Args: args, End: end}
}
