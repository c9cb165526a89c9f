// Package rr is OpenSIPS' module rr: Record-Route and Route (RFC 3261 16.4 and
// 16.12, RFC 5658). The proxy core does it; here is what a configuration asks for.
package rr

import (
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	p, own := &cfg.Proxy, new(Module)
	return &script.Module{
		Name: "rr", Instance: own,
		Help: "Has the requests of a dialog pass this proxy, and follows the routes that they bring.",
		// OpenSIPS' default, where the proxy core's is off.
		Loaded: func() { p.FromTag = true },
		Parameters: []script.Parameter{
			{Name: "append_fromtag", Type: script.BoolParam, Default: "1", Restart: true, Help: "Writes the From tag into Record-Route, by which is_direction() knows a later request's direction.", Set: script.Into(&p.FromTag)},
			{Name: "enable_double_rr", Type: script.BoolParam, Default: "1", Restart: true, Help: "Adds a second Record-Route where the protocol or the socket changes.",
				Set: func(v script.Literal) error { p.SingleRecordRoute = v.Int == 0; return nil }},
			{Name: "enable_full_lr", Type: script.BoolParam, Default: "0", Restart: true, Help: "Writes ;lr=on instead of ;lr, for peers that cannot read a parameter without a value.", Set: script.Into(&p.FullLR)},
			{Name: "add_username", Type: script.BoolParam, Default: "0", Restart: true, Help: "Writes the user of the Request-URI into Record-Route.", Set: script.Into(&p.RecordUser)},
			{Name: "enable_socket_mismatch_warning", Type: script.BoolParam, Default: "1", Restart: true, Help: "Warns of a Route that names another socket than the request's.",
				Note: "a Route that names another socket is not warned about"},
		},
		Functions: []script.Function{
			{Name: "loose_route", Usage: "loose_route()", Help: "Follows the Route headers of a request inside a dialog; false if there is none that is ours.", Routes: script.Requests,
				Build: func(*script.Args) script.Action {
					return func(m *script.Machine) int { return script.Yes(own.Follow(m)) }
				}},
			{Name: "record_route", Usage: `record_route([";params"])`, Help: "Adds Record-Route, with more parameters.", Args: []script.ArgKind{script.TextArg}, Routes: script.Requests, Build: recordRoute},
			{Name: "record_route_preset", Usage: `record_route_preset("host:port"[, "host:port of the incoming side"])`,
				Help: "Adds Record-Route with these names of ours in place of the sockets'.",
				Args: []script.ArgKind{script.TextArg, script.TextArg}, Min: 1, Routes: script.Requests, Build: recordRoutePreset},
			{Name: "add_rr_param", Usage: `add_rr_param(";name=value")`, Help: "Adds a parameter to the Record-Route that is there or comes.", Args: []script.ArgKind{script.TextArg}, Min: 1, Routes: script.Requests,
				Build: script.TextAction(func(m *script.Machine, b []byte) error { return m.Context().AddRRParam(b) })},
			{Name: "check_route_param", Usage: `check_route_param("regular expression")`, Help: "Reports whether the parameters of our Route match.", Args: []script.ArgKind{script.RegexArg}, Min: 1, Routes: script.Requests, Build: checkParam},
			{Name: "is_direction", Usage: `is_direction("upstream" or "downstream")`, Help: "Reports which way a request inside a dialog goes: downstream is that of the first request.",
				Args: []script.ArgKind{script.FixedArg}, Min: 1, Routes: script.Requests, Build: isDirection},
		},
		Variables: []script.Variable{
			{Name: "rr_params", Help: "The parameters of the Route that loose_route() has taken.", Get: script.Simple(func(m *script.Machine) script.Value {
				if b := m.Context().RouteParams(); len(b) > 0 {
					return script.Text(b)
				}
				return script.Value{}
			})},
		},
	}
}

// Module is how other modules see what loose_route() does.
type Module struct{ routed []func(m *script.Machine) }

// OnRoute has f called behind each loose_route(), whatever that returned: for the Check of a module that finds the dialog
// of a request by its Route.
func (m *Module) OnRoute(f func(m *script.Machine)) { m.routed = append(m.routed, f) }

// Follow is loose_route(), for another module: it reports whether the request had a Route of ours.
func (m *Module) Follow(x *script.Machine) bool {
	followed := x.Context().LooseRoute()
	for _, f := range m.routed {
		f(x)
	}
	return followed
}

func recordRoute(a *script.Args) script.Action {
	params, at := a.Text(0), a.Site()
	return func(m *script.Machine) int {
		b, _ := params(m)
		return m.Reported(at, m.Context().RecordRoute(b))
	}
}

func recordRoutePreset(a *script.Args) script.Action {
	out, in, two, at := a.Text(0), a.Text(1), a.Given(1), a.Site()
	return func(m *script.Machine) int {
		o, ok := out(m)
		var i []byte
		if ok && two {
			i, ok = in(m)
		}
		if !ok {
			return m.Fail(at, "an argument is NULL")
		}
		return m.Reported(at, m.Context().RecordRoutePreset(o, i))
	}
}

func checkParam(a *script.Args) script.Action {
	re := a.Regex(0)
	return func(m *script.Machine) int {
		r := re(m)
		return script.Yes(r != nil && m.Context().CheckRouteParam(r))
	}
}

var ftag = []byte("ftag")

// isDirection compares the From tag with the one that our Record-Route noted when
// the dialog began.
func isDirection(a *script.Args) script.Action {
	direction, _ := a.Fixed(0)
	down := direction == "downstream"
	if !down && direction != "upstream" {
		a.Errorf(0, `a direction is "upstream" or "downstream"`)
		return nil
	}
	return func(m *script.Machine) int {
		first, noted := param(m.Context().RouteParams(), ftag)
		from, err := m.Message().From()
		if !noted || err != nil {
			return script.Yes(down) // as there: without a note it counts as downstream
		}
		return script.Yes((string(first) == string(from.Tag.In(m.Message().Raw()))) == down)
	}
}

// param returns the value of a parameter.
func param(params, name []byte) (value []byte, found bool) {
	for it := sipframe.Params(params); ; {
		p, ok := it.Next()
		if !ok {
			return nil, false
		}
		if sipframe.EqualFoldBytes(p.Name, name) {
			return p.Value, true
		}
	}
}
