package b2b_logic

import (
	"log/slog"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

func (m *Module) functions() []script.Function {
	const text, fixed, number, avp, route = script.TextArg, script.FixedArg, script.IntArg, script.AVPArg, script.FixedArg
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	inCall := script.Routes(script.RequestRoute, script.OnReplyRoute)
	first := script.Routes(script.RequestRoute)
	return []script.Function{
		{Name: "b2b_server_new", Usage: `b2b_server_new("id"[, "contact"[, $avp(headers)[, $avp(values)]]])`, Args: kinds(text, text, avp, avp), Min: 1, Routes: first, Build: m.serverNew,
			Help: "Describes the leg to the caller, for b2b_init_request(). Headers of the AVPs are in each request to them."},
		{Name: "b2b_client_new", Usage: `b2b_client_new("id", "uri"[, "proxy"[, "name"[, "contact"[, $avp(headers)[, $avp(values)]]]]])`, Args: kinds(text, text, text, text, text, avp, avp), Min: 2, Routes: inCall, Build: m.clientNew,
			Help: "Describes a leg to somebody else, for b2b_init_request(), b2b_bridge() or b2b_bridge_retry(). The name is that of From."},
		{Name: "b2b_init_request", Usage: `b2b_init_request("id"[, "flags"[, "request route"[, "reply route"]]])`, Args: kinds(text, fixed, route, route), Min: 1, Routes: first, Build: m.initRequest,
			Help: `Begins a call with the INVITE at hand, of the legs that were described. "top hiding" needs none: the Request-URI is called, and all is passed on. Flags: setup-timeout=NN, transparent-auth, preserve-to.`},
		{Name: "b2b_bridge", Usage: `b2b_bridge("leg", "new leg"[, , "flags"])`, Args: kinds(text, text, fixed, fixed), Min: 2, Routes: inCall, Build: m.bridgeLegs,
			Help: "Joins a leg that is answered, by its id, this or peer, with one that b2b_client_new() has described; the leg's peer is ended then. Flags: max_duration=NN, rollback-failed."},
		{Name: "b2b_bridge_retry", Usage: `b2b_bridge_retry("new leg")`, Args: kinds(text), Min: 1, Routes: inCall, Build: m.bridgeRetry,
			Help: "Tries another new leg in the place of the one that has refused to be joined."},
		{Name: "b2b_pass_request", Usage: "b2b_pass_request()", Help: "Passes the request of a call to the other party, and the answer back.", Routes: inCall, Build: m.passOn(false)},
		{Name: "b2b_handle_reply", Usage: `b2b_handle_reply(["flags"])`, Help: "Does with the response of a call what is usual: it is passed to who has asked.", Args: kinds(text), Routes: inCall, Build: m.passOn(true)},
		{Name: "b2b_send_reply", Usage: `b2b_send_reply(code, "reason"[, "headers"[, "body"]])`, Args: kinds(number, text, text, text), Min: 2, Routes: inCall, Build: m.sendReply,
			Help: "Answers the request of a call. A BYE is answered already."},
		{Name: "b2b_delete_entity", Usage: "b2b_delete_entity()", Help: "Takes the leg of the request out of the call.", Routes: inCall, Build: m.leave},
		{Name: "b2b_end_dlg_leg", Aliases: []string{"b2b_end_dlg_leave"}, Usage: "b2b_end_dlg_leg()", Help: "Sends a BYE to the leg that the message is of, and takes it out of the call.", Routes: inCall, Build: m.leave},
	}
}

// currentOf gives what the route is run for; nil: it is not run for a call.
func currentOf(x *script.Machine) *current {
	now, _ := x.Context().Attachment(currentKey{}).(*current)
	return now
}

// during builds a function of the routes of calls.
func during(a *script.Args, f func(x *script.Machine, now *current, at *script.Site) int) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		now := currentOf(x)
		if now == nil {
			return x.Fail(at, a.Name()+"() is for the routes of calls, script_req_route and script_reply_route")
		}
		return f(x, now, at)
	}
}

// outcome is what a function returns for an error.
func outcome(x *script.Machine, at *script.Site, err error) int {
	if err == nil {
		return 1
	}
	x.Say(at, script.LevelWarn, "b2b_logic: it cannot be done", slog.Any("error", err))
	return -1
}

func (m *Module) passOn(response bool) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		return during(a, func(x *script.Machine, now *current, at *script.Site) int {
			if now.handled || (now.code != 0) != response {
				return x.Fail(at, a.Name()+"() is for a "+map[bool]string{true: "reply", false: "request"}[response]+", once")
			}
			now.leg.call.usual(now, x.Context(), x.Message())
			return 1
		})
	}
}

func (m *Module) sendReply(a *script.Args) script.Action {
	code, reason, headers, body := a.Int(0), a.Text(1), a.Text(2), a.Text(3)
	return during(a, func(x *script.Machine, now *current, at *script.Site) int {
		n, ok := code(x)
		if !ok || n < 101 || n > 699 || now.code != 0 {
			return x.Fail(at, "b2b_send_reply() answers a request, with a code from 101 to 699")
		}
		if now.method == "BYE" {
			return 1
		}
		r, _ := reason(x)
		h, _ := headers(x)
		b, _ := body(x)
		now.handled = now.handled || n >= 200
		return outcome(x, at, m.entities.Respond(x.Context(), now.leg.session, now.method, int(n), string(r), string(b), string(h), ""))
	})
}

func (m *Module) leave(a *script.Args) script.Action {
	return during(a, func(x *script.Machine, now *current, _ *script.Site) int {
		l, c := now.leg, now.leg.call
		if now.code == 0 && !now.handled && now.method != "BYE" {
			_ = m.entities.Respond(x.Context(), l.session, now.method, 200, "", "", "", "")
		}
		c.mu.Lock()
		peer := c.drop(l)
		if now.peer == nil {
			now.peer = peer
		}
		alone := len(c.legs) == 0
		c.mu.Unlock()
		now.handled, now.left = true, true
		m.entities.End(x.Context(), l.session)
		if alone {
			c.end(x.Context())
		}
		return 1
	})
}

func (m *Module) bridgeLegs(a *script.Args) script.Action {
	first, second := a.Text(0), a.Text(1)
	if a.Given(2) {
		a.Errorf(2, "a party that hears something meanwhile is not supported")
		return nil
	}
	flags, _ := a.Fixed(3)
	f, err := parseFlags(flags, "max_duration", "rollback-failed")
	if err != nil {
		a.Errorf(3, "%v", err)
		return nil
	}
	return during(a, func(x *script.Machine, now *current, at *script.Site) int {
		one, _ := first(x)
		two, _ := second(x)
		d, old := draftOf(x, string(two)), now.find(string(one))
		if d == nil {
			d, old = draftOf(x, string(one)), now.find(string(two))
		}
		if d == nil {
			return x.Fail(at, "one of the legs is to be a new one, of b2b_client_new()")
		}
		err := now.leg.call.bridged(x.Context(), old, d, f.rollback, f.lasts)
		now.bridged = err == nil
		if err == nil && now.code == 0 && !now.handled && now.method != "BYE" {
			now.handled = true
			_ = m.entities.Respond(x.Context(), now.leg.session, now.method, 202, "Accepted", "", "", "")
		}
		return outcome(x, at, err)
	})
}

func (m *Module) bridgeRetry(a *script.Args) script.Action {
	id := a.Text(0)
	return during(a, func(x *script.Machine, now *current, at *script.Site) int {
		name, _ := id(x)
		d := draftOf(x, string(name))
		if d == nil || now.code < 300 {
			return x.Fail(at, "b2b_bridge_retry() is for a refusal, with a leg of b2b_client_new()")
		}
		now.handled = true
		return outcome(x, at, now.leg.call.retried(x.Context(), d))
	})
}

// find gives a leg by what the script calls it; nil: there is none.
func (now *current) find(name string) *leg {
	c := now.leg.call
	c.mu.Lock()
	defer c.mu.Unlock()
	switch name {
	case "this":
		return now.leg
	case "peer":
		if now.leg.peer != nil {
			return now.leg.peer
		}
		return now.peer
	}
	return c.of(name)
}

// isInvite tells whether a message can begin a call.
func isInvite(msg *sipframe.Message) bool {
	to, err := msg.To()
	return msg.IsRequest() && msg.Method() == sipframe.INVITE && err == nil && to.Tag.Len == 0
}
