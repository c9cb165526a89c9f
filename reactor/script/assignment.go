package script

import "fmt"

// Setter stores a value in a variable and returns the code of the assignment.
type Setter func(m *Machine, v Value) int

// plainOps are what the compound assignments compute.
var plainOps = map[kind]kind{
	tokPlusEq: tokPlus, tokMinusEq: tokMinus, tokMulEq: tokMul, tokDivEq: tokDiv, tokModEq: tokMod,
	tokAndEq: tokBitAnd, tokOrEq: tokBitOr, tokXorEq: tokBitXor,
}

func (k *compiler) assignment(s *assignStmt) exec {
	if len(s.Target.Trans) > 0 {
		k.rep.errorf(s.Target.Trans[0].At, "a transformation cannot be assigned to")
		return nil
	}
	set, use := k.settable(s.Target, false)
	v := k.expr(s.Value)
	if set == nil || v == nil {
		return nil
	}
	if s.Op == tokAssign || s.Op == tokColonEq {
		use.refuse(s.Value)
	}
	if text, ok := s.Value.(*stringExpr); ok && destinationVariables[s.Target.Name] {
		k.namePeer(text.Text)
	}
	if text, ok := s.Value.(*stringExpr); ok && setsSocket(s.Target) {
		k.nameSocket(text.At, text.Text)
	}
	what := fmt.Sprintf("assignment to %s", clip(s.Target.Text))
	at := k.site(s.At, what)
	op, compound := plainOps[s.Op]
	switch _, isNull := s.Value.(*nullExpr); {
	case !compound:
		return k.plainAssignment(s, set, v)
	case isNull:
		k.rep.errorf(s.Value.Pos(), "NULL is assigned by =, not by %v", s.Op)
		return nil
	}
	old := k.variable(s.Target)
	if old == nil {
		return nil
	}
	return compoundAssignment(op, set, old, v, at)
}

// plainAssignment compiles = and :=.
func (k *compiler) plainAssignment(s *assignStmt, set Setter, v expr) exec {
	_, isNull := s.Value.(*nullExpr)
	calls := isCall(s.Value)
	plain := set
	if s.Op == tokColonEq {
		plain = k.setter(s.Target, true)
	}
	return func(m *Machine) int {
		fails := m.fails
		got := v(m)
		switch {
		case m.fails != fails && calls: // what it returns is negative, and the script asks for that
			rc := m.code
			plain(m, got)
			m.code = rc
		case m.fails != fails:
			m.code = -1 // said already
		case m.ctl&ctlExit != 0:
			m.code = 0
		case got.kind == nullValue && !isNull:
			m.code = set(m, got)
		default:
			m.code = plain(m, got)
		}
		return m.code
	}
}

// compoundAssignment compiles an assignment that computes with what the variable was, such as +=.
func compoundAssignment(op kind, set Setter, old, v expr, at *Site) exec {
	return func(m *Machine) int {
		a, b := old(m), v(m)
		if a.kind == nullValue || b.kind == nullValue {
			m.code = m.Fail(at, "one side is NULL")
			return m.code
		}
		// A text that is a number counts as one only beside a number.
		if a.kind != b.kind {
			x, ok1 := a.Int()
			y, ok2 := b.Int()
			if !ok1 || !ok2 {
				m.code = m.Fail(at, "one side is a number and the other a text")
				return m.code
			}
			a, b = Int(x), Int(y)
		}
		fails := m.fails
		got := m.compute(op, a, b, at)
		if m.fails != fails {
			m.code = -1
			return -1
		}
		m.code = set(m, got)
		return m.code
	}
}

// isCall reports whether a value is what a function or a route returns.
func isCall(x expression) bool {
	for {
		switch y := x.(type) {
		case *parenExpr:
			x = y.X
		case *callExpr, *routeCallExpr:
			return true
		default:
			return false
		}
	}
}

// setter compiles the left side of an assignment; whole is that of :=.
func (k *compiler) setter(v *varExpr, whole bool) Setter {
	set, _ := k.settable(v, whole)
	return set
}

// settable is setter, with the use that tells which values the variable takes.
func (k *compiler) settable(v *varExpr, whole bool) (Setter, *Use) {
	spec := k.variableNamed(v.Name)
	switch {
	case spec == nil:
		k.unknownVariable(v)
		return nil, nil
	case spec.Set == nil:
		k.rep.errorf(v.At, "%s cannot be assigned to; what can be: %s", clip(v.Text), list(k.writable()))
		return nil, nil
	}
	if v.Of != "" {
		k.rep.errorf(v.At, "%s cannot be assigned to: a message is changed where it is at hand", clip(v.Text))
		return nil, nil
	}
	u := &Use{k: k, v: v, whole: whole}
	return k.guardedSetter(v, spec.Set(u)), u
}

// Reported turns an error of the proxy core into a code.
func (m *Machine) Reported(at *Site, err error) int {
	if err == nil {
		return 1
	}
	return m.Fail(at, err.Error())
}
