package dialog

import (
	"encoding/json"
	"strconv"

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
		{Name: "dlg_send_sequential", Usage: `dlg_send_sequential("method", "caller" or "callee"[, "body"[, "type"[, "headers"]]])`, Args: kinds(text, text, text, text, text), Min: 2,
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

// modes are the arguments of match_dialog().
var modes = map[string]matchMode{"DID_ONLY": byDID, "DID_FALLBACK": byDIDOrTags, "DID_NONE": byTags}

func (m *Module) match(a *script.Args) script.Action {
	text, _ := a.Fixed(0)
	mode, known := modes[text]
	if a.Given(0) && !known {
		a.Errorf(0, `the mode is "DID_ONLY", "DID_FALLBACK" or "DID_NONE", not %q`, text)
		return nil
	}
	if !a.Given(0) {
		mode = m.mode
	}
	return func(x *script.Machine) int {
		x.Context().LooseRoute() // whose parameters name the dialog
		return script.Yes(m.follow(x, mode))
	}
}

func (m *Module) validate(*script.Args) script.Action {
	return func(x *script.Machine) int {
		b := m.bondOf(x)
		if b == nil || b.verdict == 0 {
			return int(core.BadRequest)
		}
		return int(b.verdict)
	}
}

// fixRoute has the request go to the target of the other side, by its routes.
func (m *Module) fixRoute(a *script.Args) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		b := m.bondOf(x)
		if b == nil || b.verdict == 0 {
			return -1
		}
		s := b.dialog.Summary()
		to := s.Caller
		if b.dir == core.Downstream {
			if s.Callee < 0 {
				return -1
			}
			to = s.Callees[s.Callee]
		}
		c := x.Context()
		if err := c.SetRequestURI([]byte(to.Contact)); err != nil {
			return x.Fail(at, err.Error())
		}
		return x.Reported(at, c.SetRoutes([]byte(to.Routes)))
	}
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

// flagNumber returns the number of a flag by its name, which is given one where it is met first. There are 32.
func (m *Module) flagNumber(name string) (uint, bool) {
	if n, ok := m.flags[name]; ok {
		return n, true
	}
	if len(m.names) == 32 {
		return 0, false
	}
	n := uint(len(m.names))
	m.flags[name], m.names = n, append(m.names, name)
	return n, true
}

func (m *Module) flagArg(a *script.Args) (uint, bool) {
	name, fixed := a.Fixed(0)
	if !fixed || name == "" {
		a.Errorf(0, "the name of a flag is a constant")
		return 0, false
	}
	n, ok := m.flagNumber(name)
	if !ok {
		a.Errorf(0, "there are 32 flags of dialogs already")
	}
	return n, ok
}

func (m *Module) flag(do func(d *core.Dialog, n uint) int) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		n, ok := m.flagArg(a)
		if !ok {
			return nil
		}
		return m.withDialog(func(_ *script.Machine, d *core.Dialog) int { return do(d, n) })
	}
}

func (m *Module) testFlag(a *script.Args) script.Action {
	n, ok := m.flagArg(a)
	if !ok {
		return nil
	}
	value := a.Int(1)
	return m.withDialog(func(x *script.Machine, d *core.Dialog) int {
		v, _ := value(x)
		return script.Yes(d.TestFlag(n, v != 0))
	})
}

func (m *Module) storeValue(a *script.Args) script.Action {
	name, value, at := a.Text(0), a.Text(1), a.Site()
	return m.withDialog(func(x *script.Machine, d *core.Dialog) int {
		n, _ := name(x)
		v, ok := value(x)
		if !ok {
			d.Unset(string(n))
			return 1
		}
		if !d.Set(core.Value{Name: string(n), Text: string(v)}) {
			return x.Fail(at, "the dialog has too many values")
		}
		return 1
	})
}

func (m *Module) fetchValue(a *script.Args) script.Action {
	name, set := a.Text(0), a.Setter(1)
	return m.withDialog(func(x *script.Machine, d *core.Dialog) int {
		n, _ := name(x)
		v, ok := d.Get(string(n))
		if !ok {
			return -1
		}
		return set(x, valueOf(x, v))
	})
}

func valueOf(x *script.Machine, v core.Value) script.Value {
	if v.IsInt {
		return script.Int(v.Int)
	}
	return script.Text(x.KeepString(v.Text))
}

// textOf is a value as others compare it.
func textOf(v core.Value) string {
	if v.IsInt {
		return strconv.FormatInt(v.Int, 10)
	}
	return v.Text
}

func (m *Module) info(a *script.Args) script.Action {
	attr, avp, key, value, count := a.Text(0), a.AVP(1), a.Text(2), a.Text(3), a.Setter(4)
	return func(x *script.Machine) int {
		name, _ := attr(x)
		k, _ := key(x)
		v, _ := value(x)
		n := int64(0)
		m.dialogs.Each(func(d *core.Dialog) bool {
			if got, ok := d.Get(string(k)); ok && textOf(got) == string(v) && d.State() != core.Ended {
				n++
				if out, ok := d.Get(string(name)); ok {
					avp.Add(x, valueOf(x, out))
				}
			}
			return true
		})
		count(x, script.Int(n))
		return script.Yes(n > 0)
	}
}

func (m *Module) allValues(a *script.Args) script.Action {
	names, values, callID := a.AVP(0), a.AVP(1), a.Text(2)
	return func(x *script.Machine) int {
		id, _ := callID(x)
		d := m.dialogs.ByCallID(id)
		if d == nil {
			return -1
		}
		for _, v := range d.Summary().Values {
			names.Add(x, script.Text(x.KeepString(v.Name)))
			values.Add(x, valueOf(x, v))
		}
		return 1
	}
}

// collect gives the dialogs that are wanted as JSON.
func (m *Module) collect(x *script.Machine, avp *script.AVP, count script.Setter, want func(d *core.Dialog) bool) int {
	n := int64(0)
	now := x.Now().Unix()
	m.dialogs.Each(func(d *core.Dialog) bool {
		if d.State() == core.Ended || !want(d) {
			return true
		}
		n++
		if b, err := json.Marshal(m.describe(d, true, now)); err == nil && avp != nil {
			avp.Add(x, script.Text(x.Keep(b)))
		}
		return n < maxCollected
	})
	if count != nil {
		count(x, script.Int(n))
	}
	return script.Yes(n > 0)
}

// maxCollected bounds the dialogs that one call gives a script.
const maxCollected = 1000

func (m *Module) byValue(a *script.Args) script.Action {
	name, value, avp, count := a.Text(0), a.Text(1), a.AVP(2), a.Setter(3)
	return func(x *script.Machine) int {
		n, _ := name(x)
		v, _ := value(x)
		return m.collect(x, avp, count, func(d *core.Dialog) bool {
			got, ok := d.Get(string(n))
			return ok && textOf(got) == string(v)
		})
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

// loadContext covers the message's dialog with another.
func (m *Module) loadContext(a *script.Args) script.Action {
	name, typ, active, at := a.Text(0), a.Text(1), a.Int(2), a.Site()
	return func(x *script.Machine) int {
		b, _ := name(x)
		t, _ := typ(x)
		d := m.find(string(b), string(t) != "did")
		only, _ := active(x)
		if d == nil || only != 0 && d.State() == core.Ended {
			return -1
		}
		was := m.bondOf(x)
		if was != nil && was.borrow != nil {
			return x.Fail(at, "another dialog is loaded already")
		}
		if was == nil {
			was = &bond{}
		}
		x.Context().Attach(bondKey{}, &bond{dialog: d, borrow: was})
		return 1
	}
}

func (m *Module) unloadContext(*script.Args) script.Action {
	return func(x *script.Machine) int {
		b := m.bondOf(x)
		if b == nil || b.borrow == nil {
			return -1
		}
		if b.borrow.dialog == nil {
			x.Context().Attach(bondKey{}, nil)
		} else {
			x.Context().Attach(bondKey{}, b.borrow)
		}
		return 1
	}
}

// find finds a dialog by its Call-ID or ID.
func (m *Module) find(name string, callID bool) *core.Dialog {
	if !callID {
		if id, ok := core.ParseID(name); ok {
			return m.dialogs.ByID(id)
		}
		return nil
	}
	return m.dialogs.ByCallID([]byte(name))
}
