package script

import (
	"bytes"
	"strings"
	"unicode"

	"sipreactor/reactor/proxy"
)

// argument compiles one argument.
func (k *compiler) argument(a *argument, kind ArgKind, x expression, f *Function) bool {
	a.given, a.expr = true, x
	switch kind {
	case HeaderNameArg, HeadersArg, MethodArg, TableArg:
		return k.checkedArgument(a, kind, x, f)
	case AVPArg:
		return k.avpArg(a, x, f)
	case RouteArg, ReplyRouteArg, FailureRouteArg, BranchRouteArg:
		return k.routeNameArg(a, kind, x, f)
	}
	switch x := x.(type) {
	case *stringExpr:
		if kind == SetArg {
			if v := k.quotedVariable(x); v != nil {
				a.set = k.setter(v, false)
				return a.set != nil
			}
			k.rep.errorf(x.At, "found %q, expected %s: %s", clip(x.Text), argNames[kind], f.Usage)
			return false
		}
		if kind == IntArg && x.Text == "" { // OpenSIPS 2 left it out so
			a.given = false
			return true
		}
		return k.stringArg(a, kind, x, f)
	case *numberExpr:
		if kind == FlagArg || kind == BranchFlagArg {
			k.numberedFlag(x.At, itoa(int(x.N)))
			return k.flagArg(a, kind, itoa(int(x.N)), x.At)
		}
		if kind == RegexArg || kind == BodyRegexArg {
			return k.stringArg(a, kind, &stringExpr{node: node{x.At}, Text: itoa(int(x.N))}, f)
		}
		if kind == SetArg {
			k.rep.errorf(x.At, "found the number %d, expected %s: %s", x.N, argNames[kind], f.Usage)
			return false
		}
		text := []byte(itoa(int(x.N)))
		a.fixed, a.str = true, string(text)
		a.text = func(*Machine) ([]byte, bool) { return text, true }
		a.num = func(*Machine) (int64, bool) { return x.N, true }
		return true
	case *addrExpr: // without quotes
		return k.argument(a, kind, &stringExpr{node: node{x.At}, Text: x.Text}, f)
	case *wordExpr:
		if kind == FlagArg || kind == BranchFlagArg {
			return k.flagArg(a, kind, x.Text, x.At)
		}
		k.rep.errorf(x.At, "found %s, expected %s: %s", clip(x.Text), argNames[kind], f.Usage)
		return false
	case *varExpr:
		return k.variableArg(a, kind, x, f)
	default:
		k.rep.errorf(x.Pos(), "an argument is a string, a number or a variable: assign the expression to a $var() first")
		return false
	}
}

// variableArg compiles a variable.
func (k *compiler) variableArg(a *argument, kind ArgKind, x *varExpr, f *Function) bool {
	if kind == NamesArg {
		a.fixed, a.str = true, x.Text
		return true
	}
	if kind == SetArg {
		a.set = k.setter(x, false)
		return a.set != nil
	}
	if kind != TextArg && kind != IntArg && kind != HeaderArg && kind != RegexArg && kind != BodyRegexArg {
		k.rep.errorf(x.At, "found %s, expected %s: %s", clip(x.Text), argNames[kind], f.Usage)
		return false
	}
	get := k.variable(x)
	if get == nil {
		return false
	}
	a.dotAll = kind == BodyRegexArg
	a.text = func(m *Machine) ([]byte, bool) {
		v := get(m)
		if kind == HeaderArg {
			return m.OneLine(v), v.kind != nullValue
		}
		return m.Text(v), v.kind != nullValue
	}
	a.num = func(m *Machine) (int64, bool) { return get(m).Int() }
	return true
}

var argNames = [...]string{
	TextArg: "a string, a number or a variable", HeaderArg: "a string, a number or a variable", IntArg: "a number or a variable", RegexArg: "a regular expression in quotes, a number or a variable", BodyRegexArg: "a regular expression in quotes, a number or a variable",
	FixedArg: "a constant string", FlagArg: "the name of a flag", BranchFlagArg: "the name of a branch flag", SetArg: "a variable that can be assigned to",
	AVPArg: "an AVP, $avp(name)", RouteArg: "the name of a route", ReplyRouteArg: "the name of an onreply_route",
	FailureRouteArg: "the name of a failure_route", BranchRouteArg: "the name of a branch_route",
	NamesArg: "a string that names variables, or a variable",
}

func (k *compiler) stringArg(a *argument, kind ArgKind, x *stringExpr, f *Function) bool {
	a.str = x.Text
	switch kind {
	case FlagArg, BranchFlagArg:
		return k.flagArg(a, kind, x.Text, x.At)
	case RegexArg, BodyRegexArg:
		compile := compileLineRegex
		if kind == BodyRegexArg {
			compile = compileRegex
		}
		a.re = k.regex(x, compile)
		return a.re != nil
	case FixedArg, NamesArg:
		a.fixed = true
		return true
	}
	format := k.format(x)
	if kind == HeaderArg {
		format = k.headFormat(x)
	}
	if format == nil {
		return false
	}
	a.fixed = !strings.Contains(x.Text, "$")
	if a.fixed {
		b := []byte(x.Text)
		a.text = func(*Machine) ([]byte, bool) { return b, true }
	} else {
		a.text = func(m *Machine) ([]byte, bool) { return format(m), true }
	}
	if kind != IntArg {
		return true
	}
	if a.fixed {
		n, ok := number64([]byte(x.Text))
		if !ok {
			k.rep.errorf(x.At, "found %q, expected a number: %s", clip(x.Text), f.Usage)
			return false
		}
		a.num = func(*Machine) (int64, bool) { return n, true }
	} else {
		a.num = func(m *Machine) (int64, bool) { return number64(format(m)) }
	}
	return true
}

func (k *compiler) flagArg(a *argument, kind ArgKind, name string, at Pos) bool {
	if name == "" || strings.ContainsAny(name, "$ \t") {
		k.rep.errorf(at, "%q is no name of a flag", clip(name))
		return false
	}
	of := 0
	if kind == BranchFlagArg {
		of = 1
	}
	var ok bool
	a.flag, ok = k.flag(of, name, at)
	return ok
}

// format compiles a string in which variables are expanded; a null one is
// written <null>, as there.
func (k *compiler) format(s *stringExpr) func(m *Machine) []byte {
	return k.expanded(s, func(m *Machine, v Value) Value { return v })
}

// headFormat is format for what goes into headers: line ends are the script's, not
// those of a decoder or of a body.
func (k *compiler) headFormat(s *stringExpr) func(m *Machine) []byte {
	return k.expanded(s, func(m *Machine, v Value) Value {
		if v.kind == nullValue || v.kind == intValue {
			return v
		}
		return Text(m.OneLine(v))
	})
}

// OneLine gives a value's text as it may stand in a header: without the line ends
// behind it, and with spaces for control characters.
func (m *Machine) OneLine(v Value) []byte {
	b := bytes.TrimRight(m.Text(v), "\r\n")
	if bytes.IndexFunc(b, unicode.IsControl) < 0 {
		return b
	}
	from := len(m.arena)
	m.arena = append(m.arena, b...)
	b = m.arena[from:len(m.arena):len(m.arena)]
	proxy.OneLine(b)
	return b
}

// expanded is format with each variable's value passed through f.
func (k *compiler) expanded(s *stringExpr, f func(m *Machine, v Value) Value) func(m *Machine) []byte {
	parts := formatOf(k.rep, s)
	if parts == nil && s.Text != "" {
		return nil
	}
	if len(parts) == 0 {
		return func(*Machine) []byte { return nil }
	}
	var get []expr
	for _, p := range parts {
		if p.Var == nil {
			v := Text([]byte(p.Text))
			get = append(get, func(*Machine) Value { return v })
			continue
		}
		g := k.variable(p.Var)
		if g == nil {
			return nil
		}
		get = append(get, func(m *Machine) Value { return f(m, g(m)) })
	}
	return func(m *Machine) []byte {
		// Each part may write into the arena, so they are gathered first.
		from := len(m.stack)
		for _, g := range get {
			m.stack = append(m.stack, g(m))
		}
		all := m.stack[from:]
		m.stack = m.stack[:from]
		start := len(m.arena)
		for _, v := range all {
			switch v.kind {
			case nullValue:
				m.arena = append(m.arena, "<null>"...)
			case intValue:
				m.Text(v)
			default:
				m.arena = append(m.arena, v.s...)
			}
		}
		return m.arena[start:len(m.arena):len(m.arena)]
	}
}
