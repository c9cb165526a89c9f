package script

// branchVariables are $msg.branch and its fields: of a request that does not fork
// there is one branch, 0, which is the Request-URI's. An index other than 0 and
// -1 gives NULL.
func branchVariables() map[string]*varSpec {
	uri := uriVariables()
	branch := func(of *varSpec) *varSpec {
		return &varSpec{
			index: true,
			get: func(k *compiler, v *Var) item {
				get := of.get(k, v)
				if get == nil {
					return nil
				}
				return func(m *machine, i int) value {
					if i != 0 && i != -1 {
						return null
					}
					return get(m, 0)
				}
			},
			set: func(k *compiler, v *Var) setter {
				if of.set == nil {
					k.rep.errorf(v.At, "%s cannot be assigned to", clip(v.Text))
					return nil
				}
				if x := v.Index; x != nil && (x.All || x.Var != nil || x.N != 0 && x.N != -1) {
					k.rep.errorf(x.At, "%s is that of the branch 0: a stateless proxy does not fork", clip(v.Text))
					return nil
				}
				return of.set(k, v)
			},
		}
	}
	socket := &varSpec{get: func(k *compiler, v *Var) item { return k.forcedSocket() }, set: socketSetter}
	nothing := &varSpec{get: one(func(*machine) value { return null })}
	vars := map[string]*varSpec{
		"msg.branch.uri":    branch(uri["ru"]),
		"msg.branch.duri":   branch(uri["du"]),
		"msg.branch.socket": branch(socket),
		"msg.branch.path":   branch(nothing),
		"msg.branch.q":      branch(nothing),
		"msg.branch.flags":  branch(flagList(1, ",")),
		"msg.branch.last_idx": {get: one(func(m *machine) value {
			if m.alone() {
				return null
			}
			return integer(0)
		})},
		"msg.branch": {index: true, get: branch(uri["ru"]).get, set: func(k *compiler, v *Var) setter {
			k.rep.errorf(v.At, "%s cannot be assigned to: that would add a branch, and a stateless proxy does not fork; $ru is the one there is", clip(v.Text))
			return nil
		}},
		"msg.branch.attr": {arg: constArg, get: func(k *compiler, v *Var) item {
			slot := k.slot("msg.branch.attr " + v.Arg.Text)
			return func(m *machine, _ int) value { return m.vars[slot] }
		}, set: func(k *compiler, v *Var) setter {
			slot := k.slot("msg.branch.attr " + v.Arg.Text)
			return func(m *machine, x value, _ kind) int {
				m.vars[slot] = x
				return 1
			}
		}},
	}
	for name, of := range map[string]int{"msg.flag": 0, "branch.flag": 1, "msg.branch.flag": 1} {
		vars[name] = flagVariable(of)
	}
	return vars
}

// forcedSocket gives the socket that the script has chosen, as proto:ip:port.
func (k *compiler) forcedSocket() item {
	return func(m *machine, _ int) value {
		s := m.c.SendSocket()
		if s == nil {
			return null
		}
		return m.socketText(s.Addr, s.Proto)
	}
}
