package script

import "sipreactor/sipframe"

// uriFunctions change the Request-URI and the destination URI.
func uriFunctions() map[string]*function {
	fs := map[string]*function{
		"resetdsturi": {usage: "resetdsturi()", where: requests, build: func(*compiler, *arguments) action {
			return func(m *machine) int {
				_ = m.c.SetDestURI(nil)
				return 1
			}
		}},
		"isdsturiset": {usage: "isdsturiset()", where: requests, build: func(*compiler, *arguments) action {
			return func(m *machine) int { return yes(m.c.DestURI() != nil) }
		}},
		"revert_uri": {usage: "revert_uri()", where: requests, build: func(_ *compiler, a *arguments) action {
			return func(m *machine) int { return m.reported(a.at, m.c.SetRequestURI(m.msg.RequestURI())) }
		}},
		"strip":      {usage: "strip(count)", args: []argKind{intArg}, min: 1, where: requests, build: stripUser(false)},
		"strip_tail": {usage: "strip_tail(count)", args: []argKind{intArg}, min: 1, where: requests, build: stripUser(true)},
	}
	for name, set := range map[string]func(m *machine, b []byte) error{
		"seturi":      func(m *machine, b []byte) error { return m.c.SetRequestURI(b) },
		"setuser":     func(m *machine, b []byte) error { return m.c.SetUser(b) },
		"setuserpass": func(m *machine, b []byte) error { return m.c.SetPassword(b) },
		"sethost":     func(m *machine, b []byte) error { return m.c.SetHost(b) },
		"sethostport": func(m *machine, b []byte) error { return m.c.SetHostPort(b) },
		"setdsturi":   func(m *machine, b []byte) error { return m.c.SetDestURI(b) },
		"prefix": func(m *machine, b []byte) error {
			user := m.user()
			from := len(m.arena)
			m.arena = append(append(m.arena, b...), user...)
			return m.c.SetUser(m.arena[from:])
		},
	} {
		fs[name] = textFunction("", name+`("text")`, requests, set)
	}
	fs["setport"] = &function{usage: "setport(port)", args: []argKind{intArg}, min: 1, where: requests, build: func(_ *compiler, a *arguments) action {
		port := a.list[0].num
		return func(m *machine) int {
			n, ok := port(m)
			if !ok || n < 0 || n > 65535 {
				return m.fail(a.at, "the value is no port")
			}
			return m.reported(a.at, m.c.SetPort(uint16(n)))
		}
	}}
	return fs
}

// textFunction makes a function that does something with one text.
func textFunction(module, usage string, where contexts, do func(m *machine, b []byte) error) *function {
	return &function{module: module, usage: usage, args: []argKind{textArg}, min: 1, where: where, build: func(_ *compiler, a *arguments) action {
		text := a.list[0].text
		return func(m *machine) int {
			b, ok := text(m)
			if !ok {
				return m.fail(a.at, "the argument is NULL")
			}
			return m.reported(a.at, do(m, b))
		}
	}}
}

// user gives the user part of the Request-URI.
func (m *machine) user() []byte { return m.ruriPart(uriUser).s }

// stripUser takes characters off the user part of the Request-URI.
func stripUser(tail bool) func(*compiler, *arguments) action {
	return func(_ *compiler, a *arguments) action {
		count := a.list[0].num
		return func(m *machine) int {
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
			return m.reported(a.at, m.c.SetUser(m.keep(u)))
		}
	}
}

// uriModuleFunctions are those of the module uri.
func uriModuleFunctions() map[string]*function {
	return map[string]*function{
		"uri_param":     {module: "uri", usage: `uri_param("name"[, "value"])`, args: []argKind{textArg, textArg}, min: 1, where: requests, build: buildURIParam},
		"add_uri_param": textFunction("uri", `add_uri_param("name=value")`, requests, addURIParam),
		"del_uri_param": textFunction("uri", `del_uri_param("name")`, requests, func(m *machine, b []byte) error {
			return m.c.RemoveURIParam(b)
		}),
		"is_uri_user_e164": {module: "sipmsgops", also: "uri", usage: `is_uri_user_e164("uri")`, args: []argKind{textArg}, min: 1, where: messageRoutes, build: func(_ *compiler, a *arguments) action {
			uri := a.list[0].text
			return func(m *machine) int {
				b, ok := uri(m)
				if !ok {
					return -1
				}
				u := partOf(b, uriUser).s
				if len(u) < 3 || len(u) > 16 || u[0] != '+' {
					return -1
				}
				_, ok = sipframe.ParseUint(u[1:], 1<<63-1)
				return yes(ok)
			}
		}},
	}
}
