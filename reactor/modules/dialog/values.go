package dialog

import (
	"encoding/json"
	"strconv"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

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
