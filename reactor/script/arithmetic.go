package script

import "fmt"

// expr is a compiled expression.
type expr func(m *Machine) Value

// expr compiles an expression as a value; nil after an error.
func (k *compiler) expr(x expression) expr {
	switch x := x.(type) {
	case *numberExpr:
		v := Int(x.N)
		return func(*Machine) Value { return v }
	case *stringExpr:
		k.noteLiteral(x)
		v := Text([]byte(x.Text))
		return func(*Machine) Value { return v }
	case *addrExpr:
		v := Text([]byte(x.Text))
		return func(*Machine) Value { return v }
	case *nullExpr:
		return func(*Machine) Value { return null }
	case *varExpr:
		return k.variable(x)
	case *parenExpr:
		return k.expr(x.X)
	case *callExpr, *routeCallExpr:
		f := k.action(x)
		if f == nil {
			return nil
		}
		return func(m *Machine) Value {
			m.code = f(m)
			if m.code == 0 {
				m.ctl |= ctlExit
			}
			return Int(int64(m.code))
		}
	case *unaryExpr:
		if x.Op == tokTilde {
			return k.invert(x)
		}
		return k.asNumber(k.cond(x))
	case *binaryExpr:
		if x.Op == tokAnd || x.Op == tokOr || compareOps[x.Op] {
			return k.asNumber(k.cond(x))
		}
		return k.binary(x)
	case *wordExpr:
		k.rep.errorf(x.At, "%s is no value%s", clip(x.Text), oldWord(x.Text))
		return nil
	default:
		k.rep.errorf(x.Pos(), "an expression of an unknown kind")
		return nil
	}
}

// asNumber makes a condition a value: 1, 0, or null when it could not be found
// out.
func (k *compiler) asNumber(c cond) expr {
	return func(m *Machine) Value {
		v := c(m)
		if v < 0 {
			return null
		}
		return Int(int64(v))
	}
}

// noteLiteral remarks on a text that looks as if it had variables in it.
func (k *compiler) noteLiteral(s *stringExpr) {
	quiet := &report{words: k.words}
	for _, p := range formatOf(quiet, s) {
		if p.Var != nil && k.variableNamed(p.Var.Name) != nil {
			k.rep.notef(s.At, "variables are expanded in the arguments of functions only; here %s stays as it is written: join with +", clip(p.Var.Text))
			return
		}
	}
}

func (k *compiler) invert(x *unaryExpr) expr {
	in := k.expr(x.X)
	if in == nil {
		return nil
	}
	at := k.site(x.At, "~")
	return func(m *Machine) Value {
		v := in(m)
		if v.kind != intValue {
			m.Fail(at, "what stands behind it is no number")
			return null
		}
		return Int(^v.n)
	}
}

// binary compiles arithmetic. A number on the left asks for one on the right
// (null counts as 0); a text or null on the left can only be joined by +.
func (k *compiler) binary(x *binaryExpr) expr {
	l, r := k.expr(x.X), k.expr(x.Y)
	if l == nil || r == nil {
		return nil
	}
	op := x.Op
	if n, ok := x.Y.(*numberExpr); ok && n.N == 0 && (op == tokDiv || op == tokMod) {
		k.rep.errorf(x.At, "division by 0")
		return nil
	}
	if _, ok := x.X.(*stringExpr); ok && op != tokPlus {
		k.rep.errorf(x.At, "a text can be joined by +, not by %v", op)
		return nil
	}
	at := k.site(x.At, fmt.Sprintf("operator %s", kindNames[op]))
	return func(m *Machine) Value { return m.compute(op, l(m), r(m), at) }
}

// compute applies an operator.
func (m *Machine) compute(op kind, a, b Value, at *Site) Value {
	if a.kind != intValue {
		if op != tokPlus {
			m.Fail(at, "its left side is no number")
			return null
		}
		return m.join(a, b, at)
	}
	if b.kind == textValue {
		m.Fail(at, "its left side is a number and its right side a text")
		return null
	}
	v, msg := calculate(op, a.n, b.n)
	if msg != "" {
		m.Fail(at, msg)
		return null
	}
	return Int(v)
}

func calculate(op kind, a, b int64) (v int64, msg string) {
	switch op {
	case tokPlus:
		return a + b, ""
	case tokMinus:
		return a - b, ""
	case tokMul:
		return a * b, ""
	case tokDiv, tokMod:
		if b == 0 {
			return 0, "division by 0"
		}
		if op == tokDiv {
			return a / b, ""
		}
		return a % b, ""
	case tokBitAnd:
		return a & b, ""
	case tokBitOr:
		return a | b, ""
	case tokBitXor:
		return a ^ b, ""
	}
	if b < 0 || b > 63 {
		return 0, "a shift is by 0 to 63"
	}
	if op == tokShl {
		return a << uint(b), ""
	}
	return a >> uint(b), ""
}

// join puts two texts together. Numbers are written in decimal, null is empty.
func (m *Machine) join(a, b Value, at *Site) Value {
	if len(a.s)+len(b.s)+20 > maxText {
		m.Fail(at, "the text would be longer than 65535 bytes")
		return null
	}
	// The left side often is what was written last: then it only grows.
	if n := len(a.s); n > 0 && len(m.arena) >= n && &m.arena[len(m.arena)-n] == &a.s[0] && b.kind == textValue {
		m.arena = append(m.arena, b.s...)
		return Text(m.arena[len(m.arena)-n-len(b.s) : len(m.arena) : len(m.arena)])
	}
	from := len(m.arena)
	m.arena = append(m.arena, a.s...)
	if b.kind == intValue {
		m.Text(b)
	} else {
		m.arena = append(m.arena, b.s...)
	}
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}
