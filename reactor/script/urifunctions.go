package script

// uriFunctions change the Request-URI and the destination URI.
func uriFunctions() map[string]*Function {
	fs := map[string]*Function{
		"resetdsturi": {Usage: "resetdsturi()", Routes: Requests, Build: func(*Args) Action {
			return func(m *Machine) int {
				_ = m.c.SetDestURI(nil)
				return 1
			}
		}},
		"isdsturiset": {Usage: "isdsturiset()", Routes: Requests, Build: func(*Args) Action {
			return func(m *Machine) int { return Yes(m.c.DestURI() != nil) }
		}},
		"revert_uri": {Usage: "revert_uri()", Routes: Requests, Build: func(a *Args) Action {
			return func(m *Machine) int { return m.Reported(a.at, m.c.SetRequestURI(m.msg.RequestURI())) }
		}},
		"strip":      {Usage: "strip(count)", Args: []ArgKind{IntArg}, Min: 1, Routes: Requests, Build: stripUser(false)},
		"strip_tail": {Usage: "strip_tail(count)", Args: []ArgKind{IntArg}, Min: 1, Routes: Requests, Build: stripUser(true)},
	}
	for name, set := range map[string]func(m *Machine, b []byte) error{
		"seturi":      func(m *Machine, b []byte) error { return m.c.SetRequestURI(b) },
		"setuser":     func(m *Machine, b []byte) error { return m.c.SetUser(b) },
		"setuserpass": func(m *Machine, b []byte) error { return m.c.SetPassword(b) },
		"sethost":     func(m *Machine, b []byte) error { return m.c.SetHost(b) },
		"sethostport": func(m *Machine, b []byte) error { return m.c.SetHostPort(b) },
		"setdsturi":   func(m *Machine, b []byte) error { return m.c.SetDestURI(b) },
		"prefix": func(m *Machine, b []byte) error {
			user := m.user()
			from := len(m.arena)
			m.arena = append(append(m.arena, b...), user...)
			return m.c.SetUser(m.arena[from:])
		},
	} {
		fs[name] = textFunction("", name+`("text")`, Requests, set)
	}
	fs["setport"] = &Function{Usage: "setport(port)", Args: []ArgKind{IntArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
		port := a.list[0].num
		return func(m *Machine) int {
			n, ok := port(m)
			if !ok || n < 0 || n > 65535 {
				return m.Fail(a.at, "the value is no port")
			}
			return m.Reported(a.at, m.c.SetPort(uint16(n)))
		}
	}}
	return fs
}

// textFunction makes a function that does something with one text.
func textFunction(module, usage string, where RouteSet, do func(m *Machine, b []byte) error) *Function {
	return &Function{module: module, Usage: usage, Args: []ArgKind{TextArg}, Min: 1, Routes: where, Build: TextAction(do)}
}

// TextAction makes the Build of a function that does something with its one argument, a
// text. NULL is a runtime error.
func TextAction(do func(m *Machine, b []byte) error) func(a *Args) Action {
	return func(a *Args) Action {
		text := a.Text(0)
		return func(m *Machine) int {
			b, ok := text(m)
			if !ok {
				return m.Fail(a.at, "the argument is NULL")
			}
			return m.Reported(a.at, do(m, b))
		}
	}
}

// user gives the user part of the Request-URI.
func (m *Machine) user() []byte { return m.ruriPart(uriUser).s }

// stripUser takes characters off the user part of the Request-URI.
func stripUser(tail bool) func(*Args) Action {
	return func(a *Args) Action {
		count := a.list[0].num
		return func(m *Machine) int {
			n, ok := count(m)
			u := m.user()
			if !ok || n < 0 || len(u) == 0 {
				return -1
			}
			cut := min(int(n), len(u))
			if tail {
				u = u[:len(u)-cut]
			} else {
				u = u[cut:]
			}
			return m.Reported(a.at, m.c.SetUser(m.Keep(u)))
		}
	}
}
