package script

import "strings"

// The functions and the variable of the module statistics. What counts is the
// program's, so that counting costs no look-up.

// ResetStatistic is the Build of reset_stat().
func ResetStatistic(a *Args) Action {
	name := a.list[0].text
	return func(m *Machine) int {
		full, ok := name(m)
		if !ok {
			return m.Fail(a.at, "the name of the statistic is null")
		}
		return m.resetStatistic(full, a.at)
	}
}

// UpdateStatistic is the Build of update_stat(). A statistic that there is not yet is made; one whose name
// is constant when the script is compiled.
func UpdateStatistic(a *Args) Action {
	k := a.k
	name, by := &a.list[0], a.list[1].num
	count := func(m *Machine, st *statistic) int {
		n, ok := by(m)
		if !ok {
			return m.Fail(a.at, "the number to count by is none")
		}
		st.add(m.stripe, n)
		return 1
	}
	if name.fixed {
		st, err := k.prog.stats.make(name.str, false)
		if err != nil {
			k.rep.errorf(name.expr.Pos(), "the statistic %q: %v", clip(name.str), err)
			return nil
		}
		return func(m *Machine) int { return count(m, st) }
	}
	return func(m *Machine) int {
		full, ok := name.text(m)
		if !ok {
			return m.Fail(a.at, "the name of the statistic is null")
		}
		st := m.prog.stats.find(full)
		if st == nil {
			var err error
			if st, err = m.prog.stats.make(string(full), false); err != nil {
				return m.Fail(a.at, err.Error())
			}
		}
		return count(m, st)
	}
}

// resetStatistic sets one of the script's own to 0, or has the program do that
// with one of its own.
func (m *Machine) resetStatistic(full []byte, at *Site) int {
	if st := m.prog.stats.find(full); st != nil {
		if st.fixed {
			return m.Fail(at, "the statistic is not to be reset")
		}
		st.reset()
		return 1
	}
	found := false
	m.askOthers(func(s StatisticSource) { found = s.ResetStatistic(string(full)) })
	if !found {
		return m.Fail(at, "there is no statistic of that name")
	}
	return 1
}

// askOthers calls f with whom statistics of the program are asked of, if there
// is somebody. That gathers figures under locks: it is a wait, lest it holds up
// an event loop, and where one more may not wait nobody is asked.
func (m *Machine) askOthers(f func(s StatisticSource)) {
	others := m.prog.stats.others.Load()
	if others != nil {
		m.Wait(func() { f(*others) })
	}
}

// StatisticsOf lists what a group counts, the script's own or the program's, in the
// order of the names. The program's are a wait, as in askOthers.
func (m *Machine) StatisticsOf(group string, f func(name string, n uint64)) {
	if !m.prog.stats.groups[group] {
		m.askOthers(func(s StatisticSource) { s.StatisticsOf(group, f) })
		return
	}
	m.prog.Statistics(func(of, name string, n uint64, _ func()) {
		if of == group {
			f(name, n)
		}
	})
}

// statName compiles the name in $stat(), in which variables are expanded.
func (k *compiler) statName(a *varArg) func(m *Machine) []byte {
	if a.Var == nil && strings.Contains(a.Text, "$") {
		return k.format(&stringExpr{node: node{a.At}, Text: a.Text})
	}
	return k.name(a)
}

// StatisticValue is the Get of $stat(name): null for what nobody counts. A statistic of the
// script costs a look-up; one of the program has all of its figures gathered, which is a wait.
func StatisticValue(u *Use) Getter {
	k, v := u.k, u.v
	name := k.statName(v.Arg)
	if name == nil {
		return nil
	}
	return func(m *Machine, _ int) Value {
		full := name(m)
		if st := m.prog.stats.find(full); st != nil {
			return Int(st.value())
		}
		v := null
		m.askOthers(func(s StatisticSource) {
			if n, found := s.Statistic(string(full)); found {
				v = Int(int64(n))
			}
		})
		return v
	}
}

// ResetByAssignment is the Set of $stat(name) = 0, which resets it.
func ResetByAssignment(u *Use) Setter {
	k, v := u.k, u.v
	if !k.argFits(v, k.variableNamed("stat")) {
		return nil
	}
	if v.Index != nil {
		k.rep.errorf(v.Index.At, "$stat has one value and takes no index")
		return nil
	}
	name := k.statName(v.Arg)
	if name == nil {
		return nil
	}
	at := k.site(v.At, "assignment to "+clip(v.Text))
	return func(m *Machine, x Value) int {
		if n, ok := x.Int(); x.kind != nullValue && (!ok || n != 0) {
			return m.Fail(at, "a statistic can be set to 0 only")
		}
		return m.resetStatistic(name(m), at)
	}
}
