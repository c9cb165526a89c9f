package dialog

import (
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

func (m *Module) functions() []script.Function {
	const (
		text = script.TextArg
		num  = script.IntArg
		set  = script.SetArg
	)
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	requests, failed := script.Routes(script.RequestRoute), script.Routes(script.FailureRoute)
	call := script.Routes(script.RequestRoute, script.BranchRoute, script.OnReplyRoute, script.FailureRoute, script.LocalRoute)
	list := []script.Function{
		{Name: "create_dialog", Usage: `create_dialog(["flags"])`, Args: kinds(text), Routes: requests, Reach: script.Requests, Build: m.create,
			Help: "Has the call of the INVITE followed."},
		{Name: "match_dialog", Usage: `match_dialog(["mode"])`, Args: kinds(script.FixedArg), Routes: requests, Reach: failed, Build: m.match,
			Help: "Finds the dialog of a later request."},
		{Name: "validate_dialog", Usage: "validate_dialog()", Routes: requests, Reach: failed, Build: m.validate,
			Help: "Reports whether a later request fits its dialog: -1 CSeq, -2 target, -3 routes, -4 other."},
		{Name: "fix_route_dialog", Usage: "fix_route_dialog()", Routes: requests, Reach: failed, Build: m.fixRoute,
			Help: "Has a later request go where its dialog says."},
		{Name: "set_dlg_profile", Usage: `set_dlg_profile("profile"[, "value"[, clear]])`, Args: kinds(text, text, num), Min: 1, Routes: call, Build: m.setProfile,
			Help: "Puts the dialog into a profile."},
		{Name: "unset_dlg_profile", Usage: `unset_dlg_profile("profile"[, "value"])`, Args: kinds(text, text), Min: 1, Routes: call, Build: m.unsetProfile,
			Help: "Takes the dialog out of a profile."},
		{Name: "is_in_profile", Usage: `is_in_profile("profile"[, "value"])`, Args: kinds(text, text), Min: 1, Routes: call, Build: m.inProfile,
			Help: "Reports whether the dialog is in a profile."},
		{Name: "get_profile_size", Usage: `get_profile_size("profile", ["value"], $var(size))`, Args: kinds(text, text, set), Min: 1, Routes: script.Anywhere, Build: m.profileSize,
			Help: "Counts the dialogs of a profile."},
		{Name: "set_dlg_flag", Usage: `set_dlg_flag("flag")`, Args: kinds(text), Min: 1, Routes: call, Help: "Sets a flag of the dialog.",
			Build: m.flag(func(d *core.Dialog, n uint) int { d.SetScriptFlag(n, true); return 1 })},
		{Name: "reset_dlg_flag", Usage: `reset_dlg_flag("flag")`, Args: kinds(text), Min: 1, Routes: call, Help: "Clears a flag of the dialog.",
			Build: m.flag(func(d *core.Dialog, n uint) int { d.SetScriptFlag(n, false); return 1 })},
		{Name: "is_dlg_flag_set", Usage: `is_dlg_flag_set("flag")`, Args: kinds(text), Min: 1, Routes: call, Help: "Reports whether a flag of the dialog is set.",
			Build: m.flag(func(d *core.Dialog, n uint) int { return script.Yes(d.ScriptFlag(n)) })},
		{Name: "test_and_set_dlg_flag", Usage: `test_and_set_dlg_flag("flag", value)`, Args: kinds(text, num), Min: 2, Routes: call, Build: m.testFlag,
			Help: "Changes a flag of the dialog if it is as told, and reports whether it was."},
		{Name: "store_dlg_value", Usage: `store_dlg_value("name", $var(value))`, Args: kinds(text, text), Min: 2, Routes: call, Build: m.storeValue,
			Help: "Keeps a value with the dialog."},
		{Name: "fetch_dlg_value", Usage: `fetch_dlg_value("name", $var(value))`, Args: kinds(text, set), Min: 2, Routes: call, Build: m.fetchValue,
			Help: "Gives a value of the dialog."},
		{Name: "get_dialog_info", Usage: `get_dialog_info("attribute", $avp(values), "key", "value", $var(count))`, Args: kinds(text, script.AVPArg, text, text, set), Min: 5,
			Routes: script.Anywhere, Build: m.info, Help: "Gives a value of all dialogs that have another value."},
		{Name: "get_dialog_vals", Usage: `get_dialog_vals($avp(names), $avp(values), "call-id")`, Args: kinds(script.AVPArg, script.AVPArg, text), Min: 3,
			Routes: script.Anywhere, Build: m.allValues, Help: "Gives all values of a dialog."},
		{Name: "get_dialogs_by_val", Usage: `get_dialogs_by_val("name", "value", $avp(dialogs), $var(count))`, Args: kinds(text, text, script.AVPArg, set), Min: 4,
			Routes: script.Anywhere, Build: m.byValue, Help: "Gives the dialogs that have a value, as JSON."},
		{Name: "get_dialogs_by_profile", Usage: `get_dialogs_by_profile("profile", ["value"], $avp(dialogs), $var(count))`, Args: kinds(text, text, script.AVPArg, set), Min: 1,
			Routes: script.Anywhere, Build: m.ofProfile, Help: "Gives the dialogs of a profile, as JSON."},
		{Name: "load_dialog_ctx", Usage: `load_dialog_ctx("dialog"[, "callid" or "did"[, active]])`, Args: kinds(text, text, num), Min: 1,
			Routes: script.Anywhere, Build: m.loadContext, Help: "Has the script see another dialog."},
		{Name: "unload_dialog_ctx", Usage: "unload_dialog_ctx()", Routes: script.Anywhere, Build: m.unloadContext, Help: "Has it see its own again."},
		{Name: "dlg_on_answer", Usage: `dlg_on_answer(["route"])`, Args: kinds(script.RouteArg), Routes: call, Build: m.arm(onAnswer), Help: "Has a route run when the call is answered."},
		{Name: "dlg_on_timeout", Usage: `dlg_on_timeout(["route"])`, Args: kinds(script.RouteArg), Routes: call, Build: m.arm(onTimeout), Help: "Has a route run when its time is over."},
		{Name: "dlg_on_hangup", Usage: `dlg_on_hangup(["route"])`, Args: kinds(script.RouteArg), Routes: call, Build: m.arm(onHangup), Help: "Has a route run when it ends."},
		{Name: "dlg_send_sequential", Usage: `dlg_send_sequential("method", "caller" or "callee"[, "body"[, "type"[, "headers"]]])`, Args: kinds(script.MethodArg, text, text, text, text), Min: 2,
			Routes: script.Anywhere, Build: m.sequential, Help: "Sends a request to one side."},
		{Name: "dlg_inc_cseq", Usage: `dlg_inc_cseq(["tag"][, number])`, Args: kinds(text, num), Routes: call | requests, Build: m.incCSeq,
			Help: "Has the CSeq of requests of ours to a side grow, by 1 or a number; the side is that of the tag, or of To."},
		{Name: "set_dlg_sharing_tag", Usage: `set_dlg_sharing_tag("tag")`, Args: kinds(text), Min: 1, Routes: call, Help: "Is for clusters, and there is none.",
			Build: func(a *script.Args) script.Action {
				a.Errorf(-1, "set_dlg_sharing_tag() is not supported: there is no cluster")
				return nil
			}},
	}
	return list
}

// withDialog builds a function that needs the message's dialog: -1 without.
func (m *Module) withDialog(f func(x *script.Machine, d *core.Dialog) int) script.Action {
	return func(x *script.Machine) int {
		d := m.of(x)
		if d == nil {
			return -1
		}
		return f(x, d)
	}
}

func (m *Module) sequential(a *script.Args) script.Action {
	method, leg, body, typ, headers, at := a.Text(0), a.Text(1), a.Text(2), a.Text(3), a.Text(4), a.Site()
	return m.withDialog(func(x *script.Machine, d *core.Dialog) int {
		name, _ := method(x)
		side, _ := leg(x)
		b, _ := body(x)
		t, _ := typ(x)
		h, _ := headers(x)
		q := &Sequential{Method: string(name), Dir: core.Downstream, Callee: -1, Body: string(b), Type: string(t), Headers: lines(string(h))}
		switch string(side) {
		case "callee":
		case "caller":
			q.Dir = core.Upstream
		default:
			return x.Fail(at, `the leg is "caller" or "callee"`)
		}
		return script.Yes(m.Send(d, q))
	})
}

// incCSeq builds dlg_inc_cseq().
func (m *Module) incCSeq(a *script.Args) script.Action {
	tag, n := a.Text(0), a.Int(1)
	byTo, once := !a.Given(0), !a.Given(1)
	return m.withDialog(func(x *script.Machine, d *core.Dialog) int {
		name, _ := tag(x)
		if byTo {
			if to, err := x.Message().To(); err == nil {
				name = x.Message().Bytes(to.Tag)
			}
		}
		by, _ := n(x)
		if once {
			by = 1
		}
		return script.Yes(d.IncCSeq(string(name), by))
	})
}

// arm builds dlg_on_answer() and its like.
func (m *Module) arm(what armed) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		if !a.Given(0) {
			return m.withDialog(func(_ *script.Machine, d *core.Dialog) int { d.Attach(what, (*script.Routine)(nil)); return 1 })
		}
		route := a.Route(0)
		return m.withDialog(func(x *script.Machine, d *core.Dialog) int {
			r := route(x)
			if r == nil {
				return -1
			}
			d.Attach(what, r)
			return 1
		})
	}
}
