package script

import (
	"cmp"
	"fmt"
)

// cond is a compiled condition: 1 holds, 0 does not, -1 could not be found out,
// which counts as 0 whether negated or not.
type cond func(m *Machine) int

func never(*Machine) int { return 0 }

// cond compiles an expression as a condition.
func (k *compiler) cond(x expression) cond {
	switch x := x.(type) {
	case *parenExpr:
		return k.cond(x.X)
	case *unaryExpr:
		if x.Op == tokNot {
			in := k.cond(x.X)
			return func(m *Machine) int {
				v := in(m)
				if v < 0 {
					return v
				}
				return 1 - v
			}
		}
	case *binaryExpr:
		switch {
		case x.Op == tokAnd:
			l, r := k.cond(x.X), k.cond(x.Y)
			return func(m *Machine) int {
				if v := l(m); v != 1 {
					return v
				}
				return r(m)
			}
		case x.Op == tokOr:
			l, r := k.cond(x.X), k.cond(x.Y)
			return func(m *Machine) int {
				if v := l(m); v != 0 {
					return v
				}
				return r(m)
			}
		case compareOps[x.Op]:
			return k.compare(x)
		}
	case *callExpr, *routeCallExpr:
		f := k.action(x)
		if f == nil {
			return never
		}
		return func(m *Machine) int {
			m.code = f(m)
			switch {
			case m.code == 0:
				m.ctl |= ctlExit
				return -1
			case m.ctl != 0:
				return -1
			case m.code > 0:
				return 1
			default:
				return 0
			}
		}
	case *stringExpr, *nullExpr, *addrExpr:
		k.rep.errorf(x.Pos(), "a constant is no condition")
		return never
	}
	v := k.expr(x)
	if v == nil {
		return never
	}
	return func(m *Machine) int {
		if v(m).truth() {
			return 1
		}
		return 0
	}
}

// compare compiles a comparison.
func (k *compiler) compare(x *binaryExpr) cond {
	if w, ok := x.X.(*wordExpr); ok {
		k.rep.errorf(w.At, "%s is no variable%s", clip(w.Text), oldWord(w.Text))
		return never
	}
	l := k.expr(x.X)
	if l == nil {
		return never
	}
	at := k.site(x.At, fmt.Sprintf("comparison %s", kindNames[x.Op]))
	equality := x.Op == tokEq || x.Op == tokNe
	switch y := x.Y.(type) {
	case *nullExpr:
		matches := x.Op == tokMatch || x.Op == tokNoMatch // which are == and != with NULL, as there
		if !equality && !matches {
			k.rep.errorf(x.At, "NULL is compared by == and !=, not by %v", x.Op)
			return never
		}
		want := x.Op == tokEq || x.Op == tokMatch
		return func(m *Machine) int { return truth((l(m).kind == nullValue) == want) }
	case *wordExpr:
		if y.Text != "myself" || !equality {
			k.rep.errorf(y.At, "%s is no value%s", clip(y.Text), oldWord(y.Text))
			return never
		}
		want := x.Op == tokEq
		return func(m *Machine) int {
			v := l(m)
			if v.kind == nullValue {
				return truth(!want)
			}
			return truth(m.isMyself(m.Text(v)) == want)
		}
	case *addrExpr:
		if !equality {
			k.rep.errorf(x.At, "an address is compared by == and !=, not by %v", x.Op)
			return never
		}
		return k.compareNet(l, y, x.Op == tokEq, at)
	case *numberExpr:
		if x.Op == tokMatch || x.Op == tokNoMatch {
			k.rep.errorf(y.At, "the right side of %v is a regular expression, in quotes", x.Op)
			return never
		}
	case *stringExpr:
		if x.Op == tokMatch || x.Op == tokNoMatch {
			return k.match(l, x.Op == tokMatch, y)
		}
	case *callExpr, *routeCallExpr:
		k.rep.errorf(y.Pos(), "the right side of %v is a value, not a call", x.Op)
		return never
	}
	r := k.expr(x.Y)
	if r == nil {
		return never
	}
	if x.Op == tokMatch || x.Op == tokNoMatch {
		return matchDynamic(l, r, x.Op == tokMatch, at)
	}
	constant := false
	switch x.Y.(type) {
	case *numberExpr, *stringExpr:
		constant = true
	}
	return compareValues(x.Op, l, r, constant, at)
}

// compareValues compares what two sides are when the script gets there; constant: the right one is always the same.
func compareValues(op kind, l, r expr, constant bool, at *Site) cond {
	return func(m *Machine) int {
		a, b := l(m), r(m)
		if a.kind == nullValue || b.kind == nullValue {
			same := a.kind == b.kind
			return truth(same && op == tokEq || !same && op == tokNe)
		}
		if a.kind == intValue && b.kind == intValue {
			return truth(ordered(op, cmp.Compare(a.n, b.n)))
		}
		if b.kind == intValue && constant {
			at.say(m, LevelWarn, "script: a text is compared with a number: the comparison does not hold", "left", string(a.s))
			return -1
		}
		return truth(ordered(op, compareFold(m.Text(a), m.Text(b))))
	}
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ordered tells whether a comparison holds for the order of its sides.
func ordered(op kind, order int) bool {
	switch op {
	case tokEq:
		return order == 0
	case tokNe:
		return order != 0
	case tokLt:
		return order < 0
	case tokGt:
		return order > 0
	case tokLe:
		return order <= 0
	default:
		return order >= 0
	}
}

// oldWord hints at what took the place of the bare words of OpenSIPS 2.
func oldWord(w string) string {
	now := map[string]string{
		"uri": "$ru", "method": "$rm or is_method()", "status": "$rs", "from_uri": "$fu", "to_uri": "$tu",
		"src_ip": "$si", "src_port": "$sp", "dst_ip": "$socket_in(ip)", "dst_port": "$socket_in(port)",
		"proto": "$socket_in(proto)", "af": "$socket_in(af)", "retcode": "$retcode",
	}[w]
	if now == "" {
		return "; a variable begins with $, a text stands in quotes"
	}
	return "; since OpenSIPS 3 it is " + now
}
