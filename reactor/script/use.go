package script

// Use is a variable where it is used in a configuration.
type Use struct {
	k     *compiler
	v     *varExpr
	whole bool // of an assignment: by :=, which differs for AVPs

	allowed string                              // what an assignment takes, in words; "" whatever there is
	takes   func(m *Machine, value Value) error // tells what is wrong with a value
}

// Setter makes the Setter of a variable that does not take every value: set returns what is wrong. allowed says in words
// what it takes. A value that the configuration itself has is tried with set as it is loaded, on a request of no peer's,
// whose URI and destination have a user and a host.
func (u *Use) Setter(allowed string, set func(m *Machine, value Value) error) Setter {
	u.allowed, u.takes = allowed, set
	at := u.k.site(u.v.At, "assignment to "+clip(u.v.Text))
	return func(m *Machine, value Value) int { return m.Reported(at, set(m, value)) }
}

// Inner returns what gives the text in the parentheses. It is nil if there are
// none, and after an error.
func (u *Use) Inner() func(m *Machine) []byte {
	if u.v.Arg == nil {
		return nil
	}
	return u.k.name(u.v.Arg)
}

// Fixed returns the text in the parentheses if it is a constant, and "" without.
func (u *Use) Fixed() (text string, ok bool) {
	if u.v.Arg == nil {
		return "", true
	}
	return u.v.Arg.Text, u.v.Arg.Var == nil
}

// Name returns the name by which the variable is used.
func (u *Use) Name() string { return u.v.Name }

// Errorf reports what is wrong with the use.
func (u *Use) Errorf(format string, args ...any) { u.k.rep.errorf(u.pos(), format, args...) }

// Notef tells what of the use has no effect.
func (u *Use) Notef(format string, args ...any) { u.k.rep.notef(u.pos(), format, args...) }

func (u *Use) pos() Pos {
	if u.v.Arg != nil {
		return u.v.Arg.At
	}
	return u.v.At
}

// Index returns the index of an assignment, 0 without one; all is that of [*].
func (u *Use) Index() (i int, all bool) {
	if u.v.Index == nil {
		return 0, false
	}
	return u.v.Index.N, u.v.Index.All
}

// Indexed reports whether there is an index.
func (u *Use) Indexed() bool { return u.v.Index != nil }

// Among returns the word that follows the index, "" if none does.
func (u *Use) Among() string {
	if u.v.Index == nil {
		return ""
	}
	return u.v.Index.Among
}

// IndexAt returns what gives the index of an assignment, which may be a variable: 0 without one; false where that is no
// number. nil after an error that was reported.
func (u *Use) IndexAt() func(m *Machine) (i int, ok bool) {
	if u.v.Index == nil || u.v.Index.Var == nil {
		i, _ := u.Index()
		return func(*Machine) (int, bool) { return i, true }
	}
	get := u.k.variable(u.v.Index.Var)
	if get == nil {
		return nil
	}
	return func(m *Machine) (int, bool) {
		n, ok := get(m).Int()
		return int(n), ok
	}
}

// BranchFlag returns the number of the branch flag that is named in the parentheses; false after an error that was
// reported.
func (u *Use) BranchFlag() (n uint, ok bool) {
	if u.v.Arg == nil || u.v.Arg.Var != nil {
		u.Errorf("%s needs the name of a flag", clip(u.v.Text))
		return 0, false
	}
	return u.k.flag(1, u.v.Arg.Text, u.v.Arg.At)
}

// Whole reports whether an assignment is by :=.
func (u *Use) Whole() bool { return u.whole }

// Variable compiles a variable that stands in the name in the parentheses; nil after an
// error.
func (u *Use) Variable(text string) func(m *Machine) Value {
	at := u.pos()
	r := &varReader{rep: u.k.rep, text: text, at: func(int) Pos { return at }}
	v := r.whole()
	if v == nil {
		return nil
	}
	return u.k.variable(v)
}

// Site returns the place of the use, for what fails at run time.
func (u *Use) Site() *Site { return u.k.site(u.v.At, clip(u.v.Text)) }
