package dialog

import (
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

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
