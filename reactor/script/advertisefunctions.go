package script

// advertiseFunctions have a request name us otherwise than the socket does.
func advertiseFunctions() map[string]*Function {
	return map[string]*Function{
		"set_advertised_address": textFunction("", `set_advertised_address("host")`, Requests, func(m *Machine, b []byte) error {
			return m.c.SetAdvertisedHost(b)
		}),
		"set_advertised_port": {Usage: "set_advertised_port(port)", Args: []ArgKind{IntArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			port := a.list[0].num
			return func(m *Machine) int {
				n, ok := port(m)
				if !ok || n < 1 || n > 65535 {
					return m.Fail(a.at, "the value is no port")
				}
				m.c.SetAdvertisedPort(uint16(n))
				return 1
			}
		}},
	}
}
