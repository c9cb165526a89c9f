package script

import "sipreactor/reactor/proxy"

// flagVariables are the lists of the flags that are set, by name: of the message
// and of its branch.
func flagVariables() map[string]*Variable {
	return map[string]*Variable{
		"mf": {Get: Simple(func(m *Machine) Value {
			if m.alone() {
				return null
			}
			return m.flagText(0, m.c.Flags(), " ")
		})},
		"bf": {Get: Simple(func(m *Machine) Value {
			if m.alone() {
				return null
			}
			return m.flagText(1, m.c.Branch(0).Flags(), " ")
		})},
	}
}

// BranchFlags returns the names of branch flags, of which bit n is flag n, joined by sep.
func (m *Machine) BranchFlags(flags uint64, sep string) Value { return m.flagText(1, flags, sep) }

// flagText gives the names of the flags that are set; of 0 are the message's, 1 a
// branch's.
func (m *Machine) flagText(of int, flags uint64, sep string) Value {
	from := len(m.arena)
	for n, name := range m.prog.flagNames[of] {
		if flags&(1<<n) == 0 {
			continue
		}
		if len(m.arena) > from {
			m.arena = append(m.arena, sep...)
		}
		m.arena = append(m.arena, name...)
	}
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

// alone tells whether the route that runs has no message.
func (m *Machine) alone() bool { return m.c == m.own }

// flagVariable makes $msg.flag(NAME) and the like: 1 or 0, to be read and set. of 0
// are the message's. A branch's has the index of the branch; without one it is
// branch 0, or with last the last one.
func flagVariable(of int, last bool) *Variable {
	spec := &Variable{Inner: ConstInner, Index: of == 1}
	spec.Get = func(u *Use) Getter {
		k, v := u.k, u.v
		n, ok := k.flag(of, v.Arg.Text, v.Arg.At)
		index := theFirst
		if of == 1 {
			index = k.branchIndex(v, 0, last)
		}
		if !ok || index == nil {
			return nil
		}
		return func(m *Machine, _ int) Value {
			i := index(m)
			switch {
			case i < 0 || m.alone():
				return null
			case of == 0:
				return Int(int64(truth(m.c.IsFlagSet(n))))
			default:
				return Int(int64(truth(m.c.Branch(i).Flags()&(1<<n) != 0)))
			}
		}
	}
	spec.Set = func(u *Use) Setter {
		k, v := u.k, u.v
		if !k.argFits(v, spec) {
			return nil
		}
		n, ok := k.flag(of, v.Arg.Text, v.Arg.At)
		index := theFirst
		if of == 1 {
			index = k.branchIndex(v, 0, last)
		}
		if !ok || index == nil {
			return nil
		}
		at := k.site(v.At, "assignment to "+clip(v.Text))
		return func(m *Machine, x Value) int {
			number, isNumber := x.Int()
			i := index(m)
			switch {
			case !isNumber:
				return m.Fail(at, "the value is no number")
			case i < 0:
				return m.Fail(at, "there is no such branch")
			case of == 1:
				setBranchFlag(m.c.Branch(i), n, number != 0)
			case number != 0:
				m.c.SetFlag(n)
			default:
				m.c.ResetFlag(n)
			}
			return 1
		}
	}
	return spec
}

func setBranchFlag(b *proxy.Branch, n uint, on bool) {
	if on {
		b.SetFlags(b.Flags() | 1<<n)
	} else {
		b.SetFlags(b.Flags() &^ (1 << n))
	}
}

// BranchFlagName returns the name of branch flag n, as the configuration has it; ""
// if that has no such flag.
func (p *Program) BranchFlagName(n uint) string {
	if n >= uint(len(p.flagNames[1])) {
		return ""
	}
	return p.flagNames[1][n]
}

// NoNewConn reports whether branch flags forbid to open a connection, by
// tcp_no_new_conn_bflag.
func (p *Program) NoNewConn(flags uint64) bool { return flags&p.noNewFlags != 0 }
