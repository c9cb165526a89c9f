// Package path is OpenSIPS' module path (RFC 3327): it has what a registrar sends to a
// contact pass this proxy, and with received go to the address that the registration
// came from.
package path

import (
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// router is the Instance of rr.
type router interface {
	OnRoute(f func(m *script.Machine))
}

type module struct {
	useReceived bool
	double      bool
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{double: true}
	return &script.Module{
		Name: "path",
		Help: "Adds Path to registrations, and sends what comes back by it where they came from.",
		Parameters: []script.Parameter{
			{Name: "use_received", Type: script.BoolParam, Default: "0", Help: "Has loose_route() send a request to the address that the parameter received of our Route names.", Set: script.Into(&m.useReceived)},
			{Name: "enable_double_path", Type: script.BoolParam, Default: "1", Help: "Adds a second Path where the protocol or the socket changes.", Set: script.Into(&m.double)},
		},
		Functions: []script.Function{
			{Name: "add_path", Usage: `add_path(["user"])`, Help: "Adds Path with the address that the request is sent from.", Args: []script.ArgKind{script.TextArg}, Routes: script.Routes(script.RequestRoute), Build: m.add(false)},
			{Name: "add_path_received", Usage: `add_path_received(["user"])`, Help: "Adds the same with the address that the request came from.", Args: []script.ArgKind{script.TextArg}, Routes: script.Routes(script.RequestRoute), Build: m.add(true)},
		},
		Check: m.check,
	}
}

func (m *module) check(l *script.Loading) {
	if !m.useReceived {
		return
	}
	rr, ok := l.Instance("rr").(router)
	if !ok {
		if !l.Partial() {
			l.Errorf(l.Place("use_received"), `use_received needs the module rr: loadmodule "rr.so"`)
		}
		return
	}
	rr.OnRoute(routed)
}

func (m *module) add(received bool) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		user, at := a.Text(0), a.Site()
		return func(x *script.Machine) int {
			name, _ := user(x)
			return x.Reported(at, x.Context().AddPath(proxy.Path{User: name, Received: received, Single: !m.double}))
		}
	}
}

// routed sets where a request goes by the parameter received of the Route that was ours.
func routed(x *script.Machine) {
	params := sipframe.Params(x.Context().RouteParams())
	for p, ok := params.Next(); ok; p, ok = params.Next() {
		if !sipframe.EqualFold(p.Name, "received") {
			continue
		}
		uri, ok := unescaped(nil, p.Value)
		var u sipframe.URI
		if ok && sipframe.ParseURI(uri, &u) == nil && u.Host.Len > 0 {
			_ = x.Context().SetDestURI(uri) // it is one, or nothing changes
		}
		return
	}
}

// unescaped appends b with its %HH read.
func unescaped(dst, b []byte) ([]byte, bool) {
	for i := 0; i < len(b); i++ {
		if b[i] != '%' {
			dst = append(dst, b[i])
			continue
		}
		if i+2 >= len(b) {
			return nil, false
		}
		hi, lo := digit(b[i+1]), digit(b[i+2])
		if hi < 0 || lo < 0 {
			return nil, false
		}
		dst = append(dst, byte(hi<<4|lo))
		i += 2
	}
	return dst, true
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	default:
		return -1
	}
}
