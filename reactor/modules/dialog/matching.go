package dialog

import (
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

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
		b := m.ownBond(x.Context())
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
		b := m.ownBond(x.Context())
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
