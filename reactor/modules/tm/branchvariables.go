package tm

import (
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// branchVariables are $tm.branch.… of the branches of the transaction, by their numbers; without one of that at hand.
func (m *Module) branchVariables() []script.Variable {
	read := func(name, help string, get func(x *script.Machine, leg *transaction.Leg) script.Value) script.Variable {
		return script.Variable{Name: "tm.branch." + name, Index: true, Among: among, Help: help + ".", Get: func(u *script.Use) script.Getter {
			which := m.branch(u)
			return func(x *script.Machine, i int) script.Value {
				leg := which(x, i)
				if leg == nil {
					return null
				}
				return get(x, leg)
			}
		}}
	}
	text := func(b []byte) script.Value {
		if len(b) == 0 {
			return null
		}
		return script.Text(b)
	}
	return []script.Variable{
		read("uri", "The Request-URI of a branch", func(_ *script.Machine, leg *transaction.Leg) script.Value { return text(leg.Set.URI()) }),
		read("duri", "The destination URI of a branch", func(_ *script.Machine, leg *transaction.Leg) script.Value { return text(leg.Set.DestURI()) }),
		read("path", "The Path of a branch", func(_ *script.Machine, leg *transaction.Leg) script.Value { return text(leg.Set.Path()) }),
		read("q", "The preference of a branch, in thousandths", func(_ *script.Machine, leg *transaction.Leg) script.Value {
			if leg.Set.Q() == proxy.NoQ {
				return null
			}
			return script.Int(int64(leg.Set.Q()))
		}),
		read("flags", "The flags of a branch that are set, joined by commas", func(x *script.Machine, leg *transaction.Leg) script.Value {
			return x.BranchFlags(leg.Set.Flags(), ",")
		}),
		read("socket", "The socket that a branch was sent from", func(x *script.Machine, leg *transaction.Leg) script.Value {
			s := leg.Way().Target().Socket
			if s == nil {
				return null
			}
			return script.Text(x.KeepString(s.Proto.String() + ":" + s.Addr.String()))
		}),
		read("last_received", "The last status code that came for a branch", func(_ *script.Machine, leg *transaction.Leg) script.Value {
			if leg.Received() == 0 {
				return null
			}
			return script.Int(int64(leg.Received()))
		}),
		m.branchType(), m.branchFlag(), m.branchAttr(),
	}
}

// branchType is $tm.branch.type. While branches are waited for there is one behind the others that nothing was sent for.
func (m *Module) branchType() script.Variable {
	return script.Variable{Name: "tm.branch.type", Index: true, Among: among,
		Help: "What a branch is: sip, or phone of the one behind the others while t_wait_for_new_branches() waits.", Get: func(u *script.Use) script.Getter {
			which, active, indexed := m.branch(u), u.Among() == "active", u.Indexed()
			return func(x *script.Machine, i int) script.Value {
				if which(x, i) != nil {
					return script.Text(typeSIP)
				}
				e := m.exchange(x)
				if e == nil || !indexed || !e.Waits() {
					return null
				}
				behind := e.Legs()
				if active {
					behind = e.Fork()
				}
				if i == len(behind) {
					return script.Text(typePhone)
				}
				return null
			}
		}}
}

var typeSIP, typePhone = []byte("sip"), []byte("phone")

// among are the words that may follow the number of a branch: it counts all of the transaction, or those of its last fork.
var among = []string{"all", "active"}

// branch returns what finds the branch of a number, counted from the end if that is negative; without one that at hand, in a
// failure_route the winning one.
func (m *Module) branch(u *script.Use) func(x *script.Machine, i int) *transaction.Leg {
	indexed, active := u.Indexed(), u.Among() == "active"
	return func(x *script.Machine, i int) *transaction.Leg {
		e := m.exchange(x)
		if e == nil {
			return nil
		}
		if !indexed {
			if k := m.attached(e); k.failing {
				return k.best
			}
			return m.at(x)
		}
		of := e.Legs()
		if active {
			of = e.Fork()
		}
		if i < 0 {
			i += len(of)
		}
		if i < 0 || i >= len(of) {
			return nil
		}
		return of[i]
	}
}

func (m *Module) branchFlag() script.Variable {
	return script.Variable{Name: "tm.branch.flag", Inner: script.ConstInner, Index: true, Among: among, Help: "Whether a flag of a branch is set.",
		Get: func(u *script.Use) script.Getter {
			n, ok := u.BranchFlag()
			if !ok {
				return nil
			}
			which := m.branch(u)
			return func(x *script.Machine, i int) script.Value {
				leg := which(x, i)
				if leg == nil {
					return null
				}
				return script.Int(int64(leg.Set.Flags() >> n & 1))
			}
		},
		Set: func(u *script.Use) script.Setter {
			n, ok := u.BranchFlag()
			if !ok {
				return nil
			}
			which, at := m.branch(u), u.IndexAt()
			if at == nil {
				return nil
			}
			return script.Setter(func(x *script.Machine, v script.Value) int {
				i, isIndex := at(x)
				leg := which(x, i)
				on, isNumber := v.Int()
				if leg == nil || !isNumber || !isIndex {
					return -1
				}
				flags := leg.Set.Flags() &^ (1 << n)
				if on != 0 {
					flags |= 1 << n
				}
				leg.Set.SetFlags(flags)
				if leg == m.at(x) {
					x.Context().Branch(0).SetFlags(flags)
				}
				return 1
			})
		}}
}

func (m *Module) branchAttr() script.Variable {
	return script.Variable{Name: "tm.branch.attr", Inner: script.ConstInner, Index: true, Among: among, Help: "An attribute of a branch.",
		Get: func(u *script.Use) script.Getter {
			name, _ := u.Fixed()
			which := m.branch(u)
			return func(x *script.Machine, i int) script.Value {
				leg := which(x, i)
				if leg == nil {
					return null
				}
				switch a := leg.Set.Attr(name); {
				case a == nil:
					return null
				case a.IsText:
					return script.Text(a.Text)
				default:
					return script.Int(a.Number)
				}
			}
		},
		Set: func(u *script.Use) script.Setter {
			name, _ := u.Fixed()
			which, at := m.branch(u), u.IndexAt()
			if at == nil {
				return nil
			}
			return script.Setter(func(x *script.Machine, v script.Value) int {
				i, isIndex := at(x)
				leg := which(x, i)
				if leg == nil || !isIndex {
					return -1
				}
				set := func(b *proxy.Branch) bool {
					switch n, _ := v.Int(); {
					case v.IsNull():
						b.RemoveAttr(name)
						return true
					case v.IsNumber():
						return b.SetAttr(proxy.Attr{Name: name, Number: n})
					default:
						return b.SetAttr(proxy.Attr{Name: name, Text: x.Text(v), IsText: true})
					}
				}
				if x.Kind() == script.BranchRoute && leg == m.at(x) {
					return yes(set(x.Context().Branch(0)) && set(&leg.Set))
				}
				return yes(set(&leg.Set))
			})
		}}
}
