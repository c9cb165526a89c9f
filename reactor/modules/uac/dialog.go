package uac

import (
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// A call that is followed as a dialog keeps its parties there: what the caller wrote, and what the callee was told. Values
// of these names, with the header's in the place of the dots.
const (
	cameValue = "_uac_came_"
	sentValue = "_uac_sent_"
)

// party names a header in the dialog's values.
func party(kind sipframe.HeaderKind) string {
	if kind == sipframe.HeaderFrom {
		return "from"
	}
	return "to"
}

// keepInDialog keeps the URI that came and the one that goes out in the dialog of the request, if it has one. It reports
// whether it did. What a branch_route writes is its branch's, and a dialog has but one: that goes by the Record-Route.
func (m *module) keepInDialog(x *script.Machine, kind sipframe.HeaderKind, uri []byte) bool {
	c := x.Context()
	if m.dialog == nil || m.mode != byRoute || x.Kind() == script.BranchRoute {
		return false
	}
	d := m.dialog.Of(c)
	came, err := came(c, kind)
	return d != nil && err == nil &&
		d.Set(core.Value{Name: cameValue + party(kind), Text: string(came)}) && d.Set(core.Value{Name: sentValue + party(kind), Text: string(uri)})
}

// within has a later request name the parties as its receiver knows them: the callee those that it was told, the caller
// its own. A response to it gets back what came.
func (m *module) within(x *script.Machine, p dialog.Place) {
	for _, kind := range []sipframe.HeaderKind{sipframe.HeaderFrom, sipframe.HeaderTo} {
		which, of := sentValue, kind
		if p.Dir == core.Upstream {
			which = cameValue
			if of = sipframe.HeaderTo; kind == of {
				of = sipframe.HeaderFrom
			}
		}
		v, ok := p.Dialog.Get(which + party(of))
		if !ok {
			continue
		}
		c := x.Context()
		if now, ok := c.PartyOf(kind); ok && c.SetParty(kind, proxy.Party{Display: x.Keep(now.Display), URI: []byte(v.Text)}) == nil {
			m.changed(c, kind)
		}
	}
}
