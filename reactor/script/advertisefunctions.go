package script

// advertiseFunctions have a request name us otherwise than the socket does.
func advertiseFunctions() map[string]*function {
	return map[string]*function{
		"set_advertised_address": textFunction("", `set_advertised_address("host")`, requests, func(m *machine, b []byte) error {
			return m.c.SetAdvertisedHost(b)
		}),
		"set_advertised_port": {usage: "set_advertised_port(port)", args: []argKind{intArg}, min: 1, where: requests, build: func(_ *compiler, a *arguments) action {
			port := a.list[0].num
			return func(m *machine) int {
				n, ok := port(m)
				if !ok || n < 1 || n > 65535 {
					return m.fail(a.at, "the value is no port")
				}
				m.c.SetAdvertisedPort(uint16(n))
				return 1
			}
		}},
		"record_route_preset": {module: "rr", usage: `record_route_preset("host:port"[, "host:port of the incoming side"])`, args: []argKind{textArg, textArg}, min: 1, where: requests, build: func(_ *compiler, a *arguments) action {
			return func(m *machine) int {
				out, ok := a.list[0].text(m)
				var in []byte
				if ok && a.list[1].given {
					in, ok = a.list[1].text(m)
				}
				if !ok {
					return m.fail(a.at, "an argument is NULL")
				}
				return m.reported(a.at, m.c.RecordRoutePreset(out, in))
			}
		}},
	}
}
