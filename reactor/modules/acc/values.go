package acc

import "sipreactor/reactor/script"

func (m *module) variables() []script.Variable {
	return []script.Variable{
		{Name: "acc_extra", Help: "A value of the record, as extra_fields names it.", Inner: script.ConstInner, Free: true, Get: m.getExtra, Set: m.setExtra},
		{Name: "acc_leg", Help: "A value of a leg, as leg_fields names it; without an index of the last one.", Inner: script.ConstInner, Index: true, Free: true, Get: m.getLeg, Set: m.setLeg},
		{Name: "acc_current_leg", Help: "The index of the last leg.", Get: script.Simple(func(x *script.Machine) script.Value {
			k := m.account(x, false)
			if k == nil || !k.marked {
				return script.Value{}
			}
			return script.Int(int64(len(k.legs) - 1))
		})},
	}
}

// tag finds what a variable names; -1 after an error.
func tag(u *script.Use, t *tags, param string) int {
	name, _ := u.Fixed()
	i := t.find(name)
	if i < 0 {
		u.Errorf("there is no %s in the parameter %s", name, param)
	}
	return i
}

func (m *module) getExtra(u *script.Use) script.Getter {
	i := tag(u, &m.extra, "extra_fields")
	if i < 0 {
		return nil
	}
	return func(x *script.Machine, _ int) script.Value {
		if k := m.account(x, false); k != nil {
			return get(k.extra, i)
		}
		return script.Value{}
	}
}

func (m *module) setExtra(u *script.Use) script.Setter {
	i := tag(u, &m.extra, "extra_fields")
	if i < 0 {
		return nil
	}
	return func(x *script.Machine, v script.Value) int {
		k := m.account(x, true)
		set(&k.extra, i, x, v)
		k.save()
		return 1
	}
}

func get(set [][]byte, i int) script.Value {
	if i >= len(set) || set[i] == nil {
		return script.Value{}
	}
	return script.Text(set[i])
}

func set(values *[][]byte, i int, x *script.Machine, v script.Value) {
	for len(*values) <= i {
		*values = append(*values, nil)
	}
	if v.IsNull() {
		(*values)[i] = nil
		return
	}
	(*values)[i] = append([]byte{}, x.Text(v)...) // a new one: a record may have the old one
}

// leg gives the index of a leg; -1 if there is none.
func (a *account) leg(i int) int {
	if i < 0 {
		i += len(a.legs)
	}
	if i < 0 || i >= len(a.legs) {
		return -1
	}
	return i
}

func (m *module) getLeg(u *script.Use) script.Getter {
	i := tag(u, &m.legs, "leg_fields")
	if i < 0 {
		return nil
	}
	indexed := u.Indexed()
	return func(x *script.Machine, leg int) script.Value {
		k := m.account(x, false)
		if k == nil || !k.marked {
			return script.Value{}
		}
		if !indexed {
			leg = -1
		}
		if leg = k.leg(leg); leg < 0 {
			return script.Value{}
		}
		return get(k.legs[leg], i)
	}
}

func (m *module) setLeg(u *script.Use) script.Setter {
	i := tag(u, &m.legs, "leg_fields")
	if i < 0 {
		return nil
	}
	leg := -1
	if u.Indexed() {
		n, all := u.Index()
		if all {
			u.Errorf("one leg can be assigned to")
			return nil
		}
		leg = n
	}
	at := u.Site()
	return func(x *script.Machine, v script.Value) int {
		k := m.account(x, false)
		if k == nil || !k.marked {
			return x.Fail(at, "do_accounting() was not called")
		}
		n := k.leg(leg)
		if n < 0 {
			return x.Fail(at, "there is no such leg")
		}
		set(&k.legs[n], i, x, v)
		k.save()
		return 1
	}
}
