package script

// block compiles statements that run one after the other.
func (k *compiler) block(list []statement, at Pos) exec {
	var run []exec
	var of []statement
	for _, s := range list {
		if x := k.stmt(s); x != nil {
			run, of = append(run, x), append(of, s)
		}
	}
	return func(m *Machine) int {
		ret := 1
		for i, x := range run {
			if m.tracing.on {
				m.traceStep(of[i])
			}
			if ret = x(m); ret == 0 {
				m.ctl |= ctlExit
			}
			if m.failed != nil {
				m.handle()
			}
			if m.ctl != 0 {
				break
			}
		}
		return ret
	}
}

func (k *compiler) stmt(s statement) exec {
	switch s := s.(type) {
	case *blockStmt:
		return k.block(s.List, s.At)
	case *ifStmt:
		return k.ifStmt(s)
	case *whileStmt:
		return k.whileStmt(s)
	case *forStmt:
		return k.forStmt(s)
	case *switchStmt:
		return k.switchStmt(s)
	case *assignStmt:
		return k.assignment(s)
	case *callStmt:
		return k.callStmt(s)
	case *returnStmt:
		return k.returnStmt(s)
	case *jumpStmt:
		return jumps[s.Word]
	default:
		k.rep.errorf(s.Pos(), "a statement of an unknown kind")
		return nil
	}
}

var jumps = map[string]exec{
	"exit":  func(m *Machine) int { m.ctl |= ctlExit; return 0 },
	"drop":  func(m *Machine) int { m.ctl |= ctlExit | ctlDrop; return -1 },
	"break": func(m *Machine) int { m.ctl |= ctlBreak; return 1 },
}

func (k *compiler) ifStmt(s *ifStmt) exec {
	cond, then := k.cond(s.Cond), k.stmt(s.Then)
	var other exec
	if s.Else != nil {
		other = k.stmt(s.Else)
	}
	return func(m *Machine) int {
		v := cond(m)
		switch {
		case m.ctl != 0:
			m.code = 0
			return 0
		case v > 0:
			m.code = then(m)
		case other != nil:
			m.code = other(m)
		default:
			m.code = v
			return 1
		}
		return m.code
	}
}

func (k *compiler) whileStmt(s *whileStmt) exec {
	cond, body := k.cond(s.Cond), k.stmt(s.Body)
	at := k.site(s.At, "while")
	return func(m *Machine) int {
		for n := 0; ; n++ {
			if n >= m.prog.loops {
				at.say(m, LevelWarn, "script: while: stopped after max_while_loops rounds")
				return 1
			}
			if !m.step(at) {
				return 0
			}
			v := cond(m)
			if m.ctl != 0 {
				m.code = 0
				return 0
			}
			if v <= 0 {
				m.code = v
				return 1
			}
			m.code = body(m)
			if m.code == 0 {
				m.ctl |= ctlExit
			}
			if m.ctl != 0 {
				m.ctl &^= ctlBreak
				return m.code
			}
		}
	}
}

func (k *compiler) forStmt(s *forStmt) exec {
	if s.Var.Name != "var" && s.Var.Name != "avp" {
		k.rep.errorf(s.Var.At, "a for runs over a $var() or $avp(), not over %s", clip(s.Var.Text))
		return nil
	}
	if s.Over.Index == nil || !s.Over.Index.All || len(s.Over.Trans) > 0 {
		k.rep.errorf(s.Over.At, "what a for runs over has the index [*]: $(avp(x)[*]), $(hdr(x)[*])")
		return nil
	}
	item := k.eachItem(s.Over)
	set := k.setter(s.Var, true)
	body := k.stmt(s.Body)
	if item == nil || set == nil {
		return nil
	}
	at := k.site(s.At, "for")
	return func(m *Machine) int {
		ret := 1
		for n := 0; ; n++ {
			v := item(m, n)
			if v.kind == nullValue {
				return ret
			}
			if n >= m.prog.loops {
				at.say(m, LevelWarn, "script: for: stopped after max_while_loops rounds")
				return ret
			}
			if !m.step(at) {
				return 0
			}
			if ret = set(m, v); ret < 0 {
				return ret
			}
			if ret = body(m); ret == 0 {
				m.ctl |= ctlExit
			}
			if m.ctl != 0 {
				m.ctl &^= ctlBreak
				return ret
			}
		}
	}
}

// eachItem compiles the values of a variable one after the other.
func (k *compiler) eachItem(v *varExpr) Getter {
	if spec := k.variableNamed(v.Name); spec != nil && spec.Each != nil && k.argFits(v, spec) {
		return spec.Each(&Use{k: k, v: v})
	}
	one := *v
	one.Index = nil
	return k.item(&one)
}

// branch is one case of a compiled switch.
type branch struct {
	number bool
	n      int64
	s      []byte
	body   exec
}

func (k *compiler) switchStmt(s *switchStmt) exec {
	on := k.variable(s.On)
	var cases []branch
	other := -1
	for i, c := range s.Cases {
		b := branch{number: c.Value.IsInt, n: c.Value.Int, s: []byte(c.Value.Text), body: k.block(c.Body, c.At)}
		if c.Default {
			other = i
		}
		cases = append(cases, b)
	}
	if on == nil {
		return nil
	}
	return func(m *Machine) int {
		v := on(m)
		from := -1
		for i := range cases {
			b := &cases[i]
			switch {
			case i == other || v.kind == nullValue:
				continue
			case b.number && v.kind == intValue && v.n == b.n,
				!b.number && compareFold(m.Text(v), b.s) == 0:
				from = i
			}
			if from >= 0 {
				break
			}
		}
		if from < 0 {
			from = other
		}
		m.code = 1
		for i := from; i >= 0 && i < len(cases); i++ {
			m.code = cases[i].body(m)
			if m.ctl != 0 {
				m.ctl &^= ctlBreak
				break
			}
		}
		return m.code
	}
}

func (k *compiler) returnStmt(s *returnStmt) exec {
	if len(s.Values) == 0 {
		return func(m *Machine) int { m.ctl |= ctlReturn; m.result = m.result[:0]; return 1 }
	}
	var values []expr
	for _, x := range s.Values {
		v := k.expr(x)
		if v == nil {
			return nil
		}
		values = append(values, v)
	}
	if x, ok := s.Values[0].(*stringExpr); ok {
		k.rep.errorf(x.At, "the first value of a return is its code, a number")
	}
	return func(m *Machine) int {
		from := len(m.stack)
		for _, x := range values {
			m.stack = append(m.stack, x(m))
		}
		got := m.stack[from:]
		m.stack = m.stack[:from]
		m.result = append(m.result[:0], got[1:]...)
		m.ctl |= ctlReturn
		switch got[0].kind {
		case nullValue:
			return -1
		case intValue:
			return int(got[0].n)
		default:
			return 1
		}
	}
}
