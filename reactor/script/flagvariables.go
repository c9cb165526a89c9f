package script

// flagVariables are the lists of the flags that are set, by name: of the message
// and of its branch.
func flagVariables() map[string]*varSpec {
	return map[string]*varSpec{"mf": flagList(0, " "), "bf": flagList(1, " ")}
}

// flagList makes a list of the names of the flags that are set; of 0 are the
// message's, 1 the branch's.
func flagList(of int, sep string) *varSpec {
	return &varSpec{get: one(func(m *machine) value {
		if m.alone() {
			return null
		}
		from := len(m.arena)
		for n, name := range m.prog.flagNames[of] {
			if !m.flagSet(of, uint(n)) {
				continue
			}
			if len(m.arena) > from {
				m.arena = append(m.arena, sep...)
			}
			m.arena = append(m.arena, name...)
		}
		return bytesValue(m.arena[from:len(m.arena):len(m.arena)])
	})}
}

// alone tells whether the route that runs has no message.
func (m *machine) alone() bool { return m.c == m.own }

func (m *machine) flagSet(of int, n uint) bool {
	if of == 0 {
		return m.c.IsFlagSet(n)
	}
	return m.c.IsBranchFlagSet(n)
}

// flagVariable makes $msg.flag(NAME) and the like: 1 or 0, to be read and set.
func flagVariable(of int) *varSpec {
	set, reset := "setflag", "resetflag"
	if of == 1 {
		set, reset = "setbflag", "resetbflag"
	}
	return &varSpec{arg: constArg,
		get: func(k *compiler, v *Var) item {
			n, ok := k.flag(of, v.Arg.Text, v.Arg.At)
			if !ok {
				return nil
			}
			return func(m *machine, _ int) value {
				if m.alone() {
					return null
				}
				return integer(int64(truth(m.flagSet(of, n))))
			}
		},
		set: func(k *compiler, v *Var) setter {
			if v.Arg == nil || v.Arg.Var != nil {
				k.rep.errorf(v.At, "%s needs the name of a flag", clip(v.Text))
				return nil
			}
			n, ok := k.flag(of, v.Arg.Text, v.Arg.At)
			if !ok {
				return nil
			}
			at := k.site(v.At, "assignment to "+clip(v.Text))
			arg := &arguments{list: []argument{{given: true, flag: n}}}
			on, off := functions[set].build(k, arg), functions[reset].build(k, arg)
			return func(m *machine, x value, _ kind) int {
				number, isNumber := x.integerOf()
				switch {
				case !isNumber:
					return m.fail(at, "the value is no number")
				case number != 0:
					return on(m)
				default:
					return off(m)
				}
			}
		},
	}
}
