package script

import "sipreactor/reactor/proxy"

// branchVariables are $msg.branch and its fields, and the older $branch. The index
// of $msg.branch.* is that of the request's branches, of which 0 is that of the
// Request-URI and always there; without one it is the last. $branch(field) has those
// that were appended only, and without an index it is the first of them.
func branchVariables() map[string]*Variable {
	vars := map[string]*Variable{
		"branch": {Inner: OptionalInner, Index: true, Get: branchItem, Set: branchSetter, Each: branchEach},
		"msg.branch": {Index: true, Get: func(u *Use) Getter {
			k, v := u.k, u.v
			return k.branchField(v, &branchFields[0], 0)
		},
			Set: addsBranch, Each: func(u *Use) Getter {
				k, v := u.k, u.v
				return k.branchValue(v, &branchFields[0], 0)
			}},
		"msg.branch.last_idx": {Get: Simple(func(m *Machine) Value {
			if m.alone() {
				return null
			}
			return Int(int64(m.c.Branches() - 1))
		})},
		"msg.branch.attr": {Inner: ConstInner, Index: true, Get: attrItem, Set: attrSetter},
		"ds":              {Get: Simple(destinationSet)},
		"ru_q": {Get: Simple(func(m *Machine) Value { return m.qText(m.c.Branch(0).Q()) }), Set: func(u *Use) Setter {
			return u.setField(&branchFields[2], theFirst)
		}},
	}
	for i := range branchFields {
		f := &branchFields[i]
		vars["msg.branch."+f.name] = &Variable{Index: true,
			Get: func(u *Use) Getter {
				k, v := u.k, u.v
				return k.branchField(v, f, 0)
			},
			Each: func(u *Use) Getter {
				k, v := u.k, u.v
				return k.branchValue(v, f, 0)
			},
			Set: func(u *Use) Setter {
				k, v := u.k, u.v
				return u.setField(f, k.branchIndex(v, 0, true))
			},
		}
	}
	vars["msg.flag"] = flagVariable(0, false)
	vars["branch.flag"] = flagVariable(1, false)
	vars["msg.branch.flag"] = flagVariable(1, true)
	return vars
}

// theFirst is the branch of the Request-URI.
func theFirst(*Machine) int { return 0 }

// branchIndex compiles the index of a variable of branches, which counts from a
// branch on: 0, or 1 for those that were appended. Negative ones count from the
// last. Without an index it is the last, or the first of those. -1 is no branch.
func (k *compiler) branchIndex(v *varExpr, from int, last bool) func(m *Machine) int {
	at := func(m *Machine, i int) int {
		n := m.c.Branches()
		if i < 0 {
			i += n - from
		}
		if i += from; i < from || i >= n || m.alone() {
			return -1
		}
		return i
	}
	x := v.Index
	switch {
	case x == nil && last:
		return func(m *Machine) int { return at(m, -1) }
	case x == nil:
		return func(m *Machine) int { return at(m, 0) }
	case x.All || x.Append:
		k.rep.errorf(x.At, "%s is one branch's: its index is a number or a variable", clip(v.Text))
		return nil
	case x.Var == nil:
		return func(m *Machine) int { return at(m, x.N) }
	}
	get := k.variable(x.Var)
	if get == nil {
		return nil
	}
	return func(m *Machine) int {
		i, ok := get(m).Int()
		if !ok || i < -proxy.MaxBranches || i > proxy.MaxBranches {
			return -1
		}
		return at(m, int(i))
	}
}

// branchField compiles a field to be read, with the variable's own index.
func (k *compiler) branchField(v *varExpr, f *branchFieldSpec, from int) Getter {
	if v.Index != nil && v.Index.All {
		return func(m *Machine, _ int) Value { return null } // k.each is asked
	}
	index := k.branchIndex(v, from, from == 0)
	if index == nil {
		return nil
	}
	return func(m *Machine, _ int) Value {
		i := index(m)
		if i < 0 {
			return null
		}
		return f.get(m, i, m.c.Branch(i))
	}
}

// branchValue compiles a field of one branch after the other: of each that there is
// it gives a value, empty where the branch has none.
func (k *compiler) branchValue(_ *varExpr, f *branchFieldSpec, from int) Getter {
	return func(m *Machine, i int) Value {
		if m.alone() || i < 0 || i+from >= m.c.Branches() {
			return null
		}
		if x := f.get(m, i+from, m.c.Branch(i+from)); x.kind != nullValue {
			return x
		}
		return Text(nil)
	}
}

// setField compiles an assignment to a field.
func (u *Use) setField(f *branchFieldSpec, index func(m *Machine) int) Setter {
	if index == nil {
		return nil
	}
	k, v := u.k, u.v
	if f.allowed != "" {
		u.allowed, u.takes = f.allowed, func(m *Machine, x Value) error { return f.set(m, 0, new(proxy.Branch), x) }
	}
	at := k.site(v.At, "assignment to "+clip(v.Text))
	return func(m *Machine, x Value) int {
		i := index(m)
		if i < 0 {
			return m.Fail(at, "there is no such branch")
		}
		return m.Reported(at, f.set(m, i, m.c.Branch(i), x))
	}
}

// branchNamed gives the field that stands in $branch(field), nil after an error.
func (k *compiler) branchNamed(v *varExpr) *branchFieldSpec {
	for i := range branchFields {
		if branchFields[i].name == v.Arg.Text && v.Arg.Var == nil {
			return &branchFields[i]
		}
	}
	k.rep.errorf(v.Arg.At, "$branch has no field %s%s", clip(v.Arg.Text), choices(v.Arg.Text, branchFieldNames()))
	return nil
}

func branchItem(u *Use) Getter {
	k, v := u.k, u.v
	if v.Arg == nil {
		return k.branchField(v, &branchFields[0], 0)
	}
	f := k.branchNamed(v)
	if f == nil {
		return nil
	}
	return k.branchField(v, f, 1)
}

func branchEach(u *Use) Getter {
	k, v := u.k, u.v
	if v.Arg == nil {
		return k.branchValue(v, &branchFields[0], 0)
	}
	f := k.branchNamed(v)
	if f == nil {
		return nil
	}
	return k.branchValue(v, f, 1)
}

func branchSetter(u *Use) Setter {
	k, v := u.k, u.v
	if v.Arg == nil {
		return addsBranch(u)
	}
	f := k.branchNamed(v)
	if f == nil {
		return nil
	}
	return u.setField(f, k.branchIndex(v, 1, false))
}

// addsBranch compiles $branch = "uri", which appends a branch.
func addsBranch(u *Use) Setter {
	k, v := u.k, u.v
	if v.Index != nil {
		k.rep.errorf(v.Index.At, "%s takes no index where it is assigned to: that appends a branch", clip(v.Text))
		return nil
	}
	return u.Setter(aURI, func(m *Machine, x Value) error {
		if x.kind == nullValue {
			return errNull
		}
		_, err := m.c.AppendBranch(m.Text(x), false)
		return err
	})
}

// attrItem is $msg.branch.attr(name): a value that stays with the branch.
func attrItem(u *Use) Getter {
	k, v := u.k, u.v
	index, name := k.branchIndex(v, 0, true), v.Arg.Text
	if index == nil {
		return nil
	}
	return func(m *Machine, _ int) Value {
		i := index(m)
		if i < 0 {
			return null
		}
		switch a := m.c.Branch(i).Attr(name); {
		case a == nil:
			return null
		case a.IsText:
			return Text(m.Keep(a.Text))
		default:
			return Int(a.Number)
		}
	}
}

func attrSetter(u *Use) Setter {
	k, v := u.k, u.v
	if !k.argFits(v, variables["msg.branch.attr"]) {
		return nil
	}
	index, name := k.branchIndex(v, 0, true), v.Arg.Text
	if index == nil {
		return nil
	}
	at := k.site(v.At, "assignment to "+clip(v.Text))
	return func(m *Machine, x Value) int {
		i := index(m)
		if i < 0 {
			return m.Fail(at, "there is no such branch")
		}
		b := m.c.Branch(i)
		if x.kind == nullValue {
			b.RemoveAttr(name)
			return 1
		}
		if !b.SetAttr(proxy.Attr{Name: name, Text: x.s, Number: x.n, IsText: x.kind == textValue}) {
			return m.Fail(at, "the branch has too many attributes")
		}
		return 1
	}
}

// destinationSet is $ds: the branches as a redirect's Contact has them.
func destinationSet(m *Machine) Value {
	if m.alone() || !m.msg.IsRequest() {
		return null
	}
	from := len(m.arena)
	m.arena = append(m.arena, "Contact: "...)
	for i := range m.c.Branches() {
		if i > 0 {
			m.arena = append(m.arena, ", "...)
		}
		m.arena = append(append(append(m.arena, '<'), m.c.BranchURI(i)...), '>')
		if q := m.c.Branch(i).Q(); q != proxy.NoQ {
			m.arena = appendQ(append(m.arena, ";q="...), q)
		}
	}
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

// forcedSocket gives the socket that the script has chosen, as proto:ip:port.
func (k *compiler) forcedSocket() Getter {
	return func(m *Machine, _ int) Value {
		s := m.c.SendSocket()
		if s == nil {
			return null
		}
		return m.socketText(s.Addr, s.Proto)
	}
}
