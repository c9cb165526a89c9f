package dialog

import (
	"encoding/json"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

func (m *Module) variables() []script.Variable {
	get := func(name, help string, f func(x *script.Machine, b *bond) script.Value) script.Variable {
		return script.Variable{Name: name, Help: help, Get: script.Simple(func(x *script.Machine) script.Value {
			b := m.bondOf(x)
			if b == nil || b.dialog == nil {
				return script.Value{}
			}
			return f(x, b)
		})}
	}
	number := func(name, help string, f func(x *script.Machine, d *core.Dialog) int64, set func(x *script.Machine, d *core.Dialog, n int64)) script.Variable {
		v := get(name, help, func(x *script.Machine, b *bond) script.Value { return script.Int(f(x, b.dialog)) })
		if set == nil {
			return v
		}
		v.Set = func(u *script.Use) script.Setter {
			at := u.Site()
			return func(x *script.Machine, v script.Value) int {
				d := m.of(x)
				n, ok := v.Int()
				switch {
				case !ok || n < 0:
					return x.Fail(at, "it takes a number")
				case d != nil:
					set(x, d, n)
				case name == "DLG_timeout" && x.Kind() == script.RequestRoute: // the documentation restricts its reading alone
					x.Context().Attach(timeoutKey{}, n)
				default:
					return x.Fail(at, "there has to be a dialog")
				}
				return 1
			}
		}
		return v
	}
	return []script.Variable{
		{Name: "DLG_count", Help: "How many dialogs have not ended.", Free: true, Get: script.Simple(func(*script.Machine) script.Value {
			if m.dialogs == nil {
				return script.Int(0)
			}
			return script.Int(m.dialogs.Stats().Active)
		})},
		get("DLG_status", "State of the dialog: 1 to 5.", func(_ *script.Machine, b *bond) script.Value { return script.Int(int64(b.state())) }),
		number("DLG_lifetime", "Seconds since the call was answered.", func(x *script.Machine, d *core.Dialog) int64 { return d.Lifetime(x.Now().Unix()) }, nil),
		number("DLG_timeout", "Seconds that it may last yet; it may be set before there is a dialog.", func(x *script.Machine, d *core.Dialog) int64 { return d.Left(x.Now().Unix()) },
			func(x *script.Machine, d *core.Dialog, n int64) { d.SetTimeout(n, x.Now().Unix()) }),
		number("DLG_del_delay", "Seconds that it is kept behind its end.", func(_ *script.Machine, d *core.Dialog) int64 { return d.Delay() },
			func(_ *script.Machine, d *core.Dialog, n int64) { d.SetDelay(n) }),
		get("DLG_flags", "Flags of the dialog that are set.", func(x *script.Machine, b *bond) script.Value {
			return script.Text(x.KeepString(m.flagText(b.dialog.Summary().Script)))
		}),
		get("DLG_dir", "Which way the request goes: downstream is from the caller.", func(x *script.Machine, b *bond) script.Value {
			if b.dir == core.Unknown || x.Kind() == script.OnReplyRoute || x.Kind() == script.FailureRoute {
				return script.Value{}
			}
			return script.Text([]byte(b.dir.String()))
		}),
		get("DLG_did", "ID of the dialog.", func(x *script.Machine, b *bond) script.Value {
			return script.Text(x.KeepString(b.dialog.ID.String()))
		}),
		get("DLG_end_reason", "Why it has ended.", func(x *script.Machine, b *bond) script.Value {
			if r := b.reason().String(); r != "" {
				return script.Text(x.KeepString(r))
			}
			return script.Value{}
		}),
		get("DLG_json", "The dialog as dlg_list shows it.", func(x *script.Machine, b *bond) script.Value { return m.asJSON(x, b.dialog, false) }),
		get("DLG_ctx_json", "The dialog as dlg_list_ctx shows it.", func(x *script.Machine, b *bond) script.Value { return m.asJSON(x, b.dialog, true) }),
		{Name: "dlg_val", Help: "A value that is kept with the dialog.", Inner: script.AnyInner, Free: true, Get: m.getValue, Set: m.setValue},
	}
}

func (m *Module) asJSON(x *script.Machine, d *core.Dialog, context bool) script.Value {
	b, err := json.Marshal(m.describe(d, context, x.Now().Unix()))
	if err != nil {
		return script.Value{}
	}
	return script.Text(x.Keep(b))
}

func (m *Module) getValue(u *script.Use) script.Getter {
	name := u.Inner()
	return func(x *script.Machine, _ int) script.Value {
		d := m.of(x)
		if d == nil {
			return script.Value{}
		}
		v, ok := d.Get(string(name(x)))
		if !ok {
			return script.Value{}
		}
		return valueOf(x, v)
	}
}

func (m *Module) setValue(u *script.Use) script.Setter {
	name, at := u.Inner(), u.Site()
	return func(x *script.Machine, v script.Value) int {
		d := m.of(x)
		if d == nil {
			return x.Fail(at, "there is no dialog")
		}
		n := string(name(x))
		if v.IsNull() {
			d.Unset(n)
			return 1
		}
		kept := core.Value{Name: n}
		if v.IsNumber() {
			kept.Int, kept.IsInt = mustInt(v), true
		} else {
			kept.Text = string(x.Text(v))
		}
		if !d.Set(kept) {
			return x.Fail(at, "the dialog has too many values")
		}
		return 1
	}
}

func mustInt(v script.Value) int64 {
	n, _ := v.Int()
	return n
}
