package script

import (
	"errors"

	"sipreactor/reactor/proxy"
)

// replyFunctions answer requests.
func replyFunctions() map[string]*function {
	send := func(module, name string) *function {
		return &function{module: module, usage: name + `(code, "reason")`, args: []argKind{intArg, textArg}, min: 2, where: requests, build: statusAction((*machine).reply)}
	}
	fs := map[string]*function{
		"sl_send_reply": send("sl", "sl_send_reply"),
		"send_reply":    send("signaling", "send_reply"),
		"sl_reply_error": {module: "sl", usage: "sl_reply_error()", where: requests, build: func(_ *compiler, a *arguments) action {
			return func(m *machine) int {
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
		"append_to_reply": textFunction("sipmsgops", `append_to_reply("Name: value\r\n")`, requests, func(m *machine, b []byte) error {
			return m.c.AppendToReply(b)
		}),
	}
	fs["change_reply_status"] = &function{module: "sipmsgops", usage: `change_reply_status(code, "reason")`, args: []argKind{intArg, textArg}, min: 2,
		where: in(OnReplyRoute), build: statusAction((*machine).changeStatus)}
	fs["append_to_reply"].args = []argKind{headArg}
	return fs
}

// statusAction builds a function of a status code and a reason phrase.
func statusAction(do func(m *machine, at *site, code int, reason []byte) int) func(*compiler, *arguments) action {
	return func(k *compiler, a *arguments) action {
		code, reason := a.list[0], a.list[1].text
		if code.fixed {
			if n, _ := code.num(nil); n < 100 || n > 699 {
				k.rep.errorf(code.expr.Pos(), "a status code is 100 to 699, not %s", clip(code.str))
				return nil
			}
		}
		return func(m *machine) int {
			n, ok := code.num(m)
			if !ok || n < 100 || n > 699 {
				return m.fail(a.at, "the code is no number from 100 to 699")
			}
			b, ok := reason(m)
			if !ok {
				b = nil
			}
			return do(m, a.at, int(n), b)
		}
	}
}

func (m *machine) reply(at *site, code int, reason []byte) int {
	return m.replied(at, m.c.Reply(code, reason))
}

func (m *machine) changeStatus(at *site, code int, reason []byte) int {
	return m.reported(at, m.c.SetStatus(code, reason))
}

// replied gives the code of a reply. To answer an ACK, or to answer twice, is a
// common slip of scripts and only noted.
func (m *machine) replied(at *site, err error) int {
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
func routeFunctions() map[string]*function {
	return map[string]*function{
		"mf_process_maxfwd_header": {module: "maxfwd", usage: "mf_process_maxfwd_header(limit)", args: []argKind{intArg}, min: 1, where: requests, build: func(k *compiler, a *arguments) action {
			limit := a.list[0]
			if limit.fixed {
				if n, _ := limit.num(nil); n < 1 || n > 255 {
					k.rep.errorf(limit.expr.Pos(), "Max-Forwards is 1 to 255, not %s", clip(limit.str))
					return nil
				}
			}
			return func(m *machine) int {
				n, ok := limit.num(m)
				if !ok || n < 1 || n > 255 {
					return m.fail(a.at, "the limit is no number from 1 to 255")
				}
				return m.c.MaxForwards(int(n))
			}
		}},
		"is_maxfwd_lt": {module: "maxfwd", usage: "is_maxfwd_lt(value)", args: []argKind{intArg}, min: 1, where: requests, build: func(_ *compiler, a *arguments) action {
			limit := a.list[0].num
			return func(m *machine) int {
				n, ok := limit(m)
				left, present := m.c.HopsLeft()
				if !ok || !present {
					return -2
				}
				return yes(int64(left) < n)
			}
		}},
		"loose_route": {module: "rr", usage: "loose_route()", where: requests, build: func(*compiler, *arguments) action {
			return func(m *machine) int { return yes(m.c.LooseRoute()) }
		}},
		"record_route": {module: "rr", usage: `record_route([";params"])`, args: []argKind{textArg}, where: requests, build: func(_ *compiler, a *arguments) action {
			params := a.list[0]
			return func(m *machine) int {
				var b []byte
				if params.given {
					b, _ = params.text(m)
				}
				return m.reported(a.at, m.c.RecordRoute(b))
			}
		}},
		"add_rr_param": textFunction("rr", `add_rr_param(";name=value")`, requests, func(m *machine, b []byte) error {
			return m.c.AddRRParam(b)
		}),
		"check_route_param": {module: "rr", usage: `check_route_param("regular expression")`, args: []argKind{regexArg}, min: 1, where: requests, build: func(_ *compiler, a *arguments) action {
			re := a.expression(0)
			return func(m *machine) int {
				r := re(m)
				return yes(r != nil && m.c.CheckRouteParam(r))
			}
		}},
		"is_direction": {module: "rr", usage: `is_direction("upstream" or "downstream")`, args: []argKind{fixedArg}, min: 1, where: requests, build: buildDirection},
	}
}

var ftag = []byte("ftag")

// buildDirection compares the From tag with the one that our Record-Route noted
// when the dialog began.
func buildDirection(k *compiler, a *arguments) action {
	down := a.list[0].str == "downstream"
	if !down && a.list[0].str != "upstream" {
		k.rep.errorf(a.list[0].expr.Pos(), `a direction is "upstream" or "downstream"`)
		return nil
	}
	return func(m *machine) int {
		first := findParam(m.c.RouteParams(), ftag)
		from := m.from()
		if first.kind == nullValue || from == nil {
			return yes(down) // as there: without a note it counts as downstream
		}
		return yes((string(first.s) == string(from.Tag.In(m.msg.Raw()))) == down)
	}
}
