package script

import "strings"

// routeCall compiles route(name, arguments). A name with variables is looked up
// at runtime.
func (k *compiler) routeCall(c *routeCallExpr) Action {
	var args []expr
	for _, x := range c.Args {
		if x == nil {
			args = append(args, func(*Machine) Value { return null })
			continue
		}
		a := k.routeArg(x)
		if a == nil {
			return nil
		}
		args = append(args, a)
	}
	at := k.site(c.At, "route()")
	run := func(m *Machine, r *Routine) int {
		if !m.deeper(at) || !m.step(at) {
			return -1
		}
		from := len(m.args)
		for _, a := range args {
			m.args = append(m.args, a(m))
		}
		ret := m.call(r, m.args[from:len(m.args):len(m.args)])
		m.args = m.args[:from]
		return ret
	}
	var name func(m *Machine) []byte
	switch x := c.Name.(type) {
	case *wordExpr:
		return k.fixedRoute(x.Text, x.At, c, run)
	case *numberExpr:
		return k.fixedRoute(itoa(int(x.N)), x.At, c, run)
	case *stringExpr:
		if !strings.Contains(x.Text, "$") {
			return k.fixedRoute(x.Text, x.At, c, run)
		}
		name = k.format(x)
	case *varExpr:
		if get := k.variable(x); get != nil {
			name = func(m *Machine) []byte { return m.Text(get(m)) }
		}
	default:
		k.rep.errorf(x.Pos(), "route() takes the name of a route")
	}
	if name == nil {
		return nil
	}
	return func(m *Machine) int {
		b := name(m)
		r := m.prog.routes[string(b)]
		if r == nil {
			return m.Fail(at, "there is no route["+clip(string(b))+"]")
		}
		return run(m, r)
	}
}

func (k *compiler) fixedRoute(name string, at Pos, c *routeCallExpr, run func(*Machine, *Routine) int) Action {
	r := k.prog.routes[name]
	if r == nil && k.partial {
		return nil
	}
	if r == nil {
		k.rep.errorf(at, "there is no route[%s]%s", clip(name), hint(name, k.routeNames()))
		return nil
	}
	if named := k.paramsOf(name); len(named) > 0 && len(c.Args) > len(named) {
		k.rep.errorf(c.At, "route[%s] has %s, not %d", name, counted(len(named), len(named), "parameter"), len(c.Args))
		return nil
	}
	return func(m *Machine) int { return run(m, r) }
}

func (k *compiler) paramsOf(name string) []string {
	for _, item := range k.file.Items {
		if r, ok := item.(*routeItem); ok && r.Kind == RequestRoute && r.Name == name {
			return r.Params
		}
	}
	return nil
}

// routeArg compiles an argument of a route: variables in a string are expanded.
func (k *compiler) routeArg(x expression) expr {
	s, ok := x.(*stringExpr)
	if !ok {
		return k.expr(x)
	}
	format := k.format(s)
	if format == nil {
		return nil
	}
	if !strings.Contains(s.Text, "$") {
		v := Text([]byte(s.Text))
		return func(*Machine) Value { return v }
	}
	return func(m *Machine) Value { return Text(format(m)) }
}

// callStmt compiles a call for its effect.
func (k *compiler) callStmt(s *callStmt) exec {
	f := k.action(s.Call)
	if f == nil {
		return nil
	}
	return func(m *Machine) int {
		m.code = f(m)
		return m.code
	}
}

// assertion compiles assert(condition, "text"). Without enable_asserts it does
// nothing, as there.
func (k *compiler) assertion(c *callExpr) Action {
	if len(c.Args) != 2 || c.Args[0] == nil {
		k.rep.errorf(c.At, `assert() takes 2 arguments: assert(condition, "text")`)
		return nil
	}
	s, ok := c.Args[1].(*stringExpr)
	if !ok {
		k.rep.errorf(c.At, `the second argument of assert() is a string: assert(condition, "text")`)
		return nil
	}
	holds := k.cond(c.Args[0])
	if !k.asserts {
		return func(*Machine) int { return 1 }
	}
	at := k.site(c.At, "assert()")
	return func(m *Machine) int {
		if holds(m) > 0 {
			return 1
		}
		m.Fail(at, s.Text)
		m.err.class = errAssert
		return 0
	}
}
