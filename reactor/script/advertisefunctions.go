package script

import "sipreactor/reactor/proxy"

// advertiseFunctions have a request name us otherwise than the socket does.
func advertiseFunctions() map[string]*Function {
	return map[string]*Function{
		"set_advertised_address": {Usage: `set_advertised_address("host")`, Args: []ArgKind{TextArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			if host, fixed := a.Fixed(0); fixed && host != "" && !proxy.IsHost([]byte(host)) {
				a.Errorf(0, "%q is no name of a host and no address: the port is set_advertised_port()'s", clip(host))
				return nil
			}
			return TextAction(func(m *Machine, b []byte) error { return m.c.SetAdvertisedHost(b) })(a)
		}},
		"set_advertised_port": {Usage: "set_advertised_port(port)", Args: []ArgKind{IntArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			port := a.list[0].num
			if text, fixed := a.Fixed(0); fixed {
				if n, ok := port(nil); !ok || n < 1 || n > 65535 {
					a.Errorf(0, "%s is no port: 1 to 65535", clip(text))
					return nil
				}
			}
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
