package script

// routeFunctions are those of rr.
func routeFunctions() map[string]*Function {
	return map[string]*Function{
		"loose_route": {module: "rr", Usage: "loose_route()", Routes: Requests, Build: func(*Args) Action {
			return func(m *Machine) int { return Yes(m.c.LooseRoute()) }
		}},
		"record_route": {module: "rr", Usage: `record_route([";params"])`, Args: []ArgKind{TextArg}, Routes: Requests, Build: func(a *Args) Action {
			params := a.list[0]
			return func(m *Machine) int {
				var b []byte
				if params.given {
					b, _ = params.text(m)
				}
				return m.Reported(a.at, m.c.RecordRoute(b))
			}
		}},
		"add_rr_param": textFunction("rr", `add_rr_param(";name=value")`, Requests, func(m *Machine, b []byte) error {
			return m.c.AddRRParam(b)
		}),
		"check_route_param": {module: "rr", Usage: `check_route_param("regular expression")`, Args: []ArgKind{RegexArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			re := a.expression(0)
			return func(m *Machine) int {
				r := re(m)
				return Yes(r != nil && m.c.CheckRouteParam(r))
			}
		}},
		"is_direction": {module: "rr", Usage: `is_direction("upstream" or "downstream")`, Args: []ArgKind{FixedArg}, Min: 1, Routes: Requests, Build: buildDirection},
	}
}

var ftag = []byte("ftag")

// buildDirection compares the From tag with the one that our Record-Route noted
// when the dialog began.
func buildDirection(a *Args) Action {
	k := a.k
	down := a.list[0].str == "downstream"
	if !down && a.list[0].str != "upstream" {
		k.rep.errorf(a.list[0].expr.Pos(), `a direction is "upstream" or "downstream"`)
		return nil
	}
	return func(m *Machine) int {
		first := findParam(m.c.RouteParams(), ftag)
		from := m.from()
		if first.kind == nullValue || from == nil {
			return Yes(down) // as there: without a note it counts as downstream
		}
		return Yes((string(first.s) == string(from.Tag.In(m.msg.Raw()))) == down)
	}
}
