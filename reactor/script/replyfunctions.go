package script

import (
	"errors"

	"sipreactor/reactor/proxy"
)

// replyFunctions answer requests.
func replyFunctions() map[string]*Function {
	send := func(module, name string) *Function {
		return &Function{module: module, Usage: name + `(code, "reason")`, Args: []ArgKind{IntArg, TextArg}, Min: 2, Routes: Requests, Build: statusAction((*Machine).reply)}
	}
	fs := map[string]*Function{
		"sl_send_reply": send("sl", "sl_send_reply"),
		"send_reply":    send("signaling", "send_reply"),
		"sl_reply_error": {module: "sl", Usage: "sl_reply_error()", Routes: Requests, Build: func(a *Args) Action {
			return func(m *Machine) int {
				code := 500
				switch err := m.c.Failure(); {
				case errors.Is(err, proxy.ErrHops):
					code = 483
				case errors.Is(err, proxy.ErrTooLarge):
					code = 513
				case err != nil:
					code = 503
				}
				return m.replied(a.at, m.c.Reply(code, nil))
			}
		}},
		"append_to_reply": textFunction("sipmsgops", `append_to_reply("Name: value\r\n")`, Requests, func(m *Machine, b []byte) error {
			return m.c.AppendToReply(b)
		}),
	}
	fs["change_reply_status"] = &Function{module: "sipmsgops", Usage: `change_reply_status(code, "reason")`, Args: []ArgKind{IntArg, TextArg}, Min: 2,
		Routes: Routes(OnReplyRoute), Build: statusAction((*Machine).changeStatus)}
	fs["append_to_reply"].Args = []ArgKind{HeaderArg}
	return fs
}

// statusAction builds a function of a status code and a reason phrase.
func statusAction(do func(m *Machine, at *Site, code int, reason []byte) int) func(*Args) Action {
	return func(a *Args) Action {
		code, reason := a.list[0], a.list[1].text
		if code.fixed {
			if n, _ := code.num(nil); n < 100 || n > 699 {
				a.k.rep.errorf(code.expr.Pos(), "a status code is 100 to 699, not %s", clip(code.str))
				return nil
			}
		}
		return func(m *Machine) int {
			n, ok := code.num(m)
			if !ok || n < 100 || n > 699 {
				return m.Fail(a.at, "the code is no number from 100 to 699")
			}
			b, ok := reason(m)
			if !ok {
				b = nil
			}
			return do(m, a.at, int(n), b)
		}
	}
}

func (m *Machine) reply(at *Site, code int, reason []byte) int {
	return m.replied(at, m.c.Reply(code, reason))
}

func (m *Machine) changeStatus(at *Site, code int, reason []byte) int {
	return m.Reported(at, m.c.SetStatus(code, reason))
}

// replied gives the code of a reply. To answer an ACK, or to answer twice, is a
// common slip of scripts and only noted.
func (m *Machine) replied(at *Site, err error) int {
	switch {
	case err == nil:
		return 1
	case errors.Is(err, proxy.ErrACK):
		return -1
	default:
		at.say(m, LevelWarn, "script: "+at.what+" failed", "error", err)
		return -1
	}
}

// routeFunctions are those of maxfwd and rr.
func routeFunctions() map[string]*Function {
	return map[string]*Function{
		"mf_process_maxfwd_header": {module: "maxfwd", Usage: "mf_process_maxfwd_header(limit)", Args: []ArgKind{IntArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			k := a.k
			limit := a.list[0]
			if limit.fixed {
				if n, _ := limit.num(nil); n < 1 || n > 255 {
					k.rep.errorf(limit.expr.Pos(), "Max-Forwards is 1 to 255, not %s", clip(limit.str))
					return nil
				}
			}
			return func(m *Machine) int {
				n, ok := limit.num(m)
				if !ok || n < 1 || n > 255 {
					return m.Fail(a.at, "the limit is no number from 1 to 255")
				}
				return m.c.MaxForwards(int(n))
			}
		}},
		"is_maxfwd_lt": {module: "maxfwd", Usage: "is_maxfwd_lt(value)", Args: []ArgKind{IntArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			limit := a.list[0].num
			return func(m *Machine) int {
				n, ok := limit(m)
				left, present := m.c.HopsLeft()
				if !ok || !present {
					return -2
				}
				return Yes(int64(left) < n)
			}
		}},
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
