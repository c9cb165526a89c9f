package rtp_relay

import (
	"slices"
	"strings"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/internal/anchor"
	"sipreactor/reactor/script"
)

// whose tells which party a variable is about, for the message at hand.
type whose func(x *script.Machine, p dialog.Place) anchor.Side

// own is the party that the route is about: in the INVITE's request route the caller, in its branch and reply routes the
// callee, and later who has sent the message.
func own(x *script.Machine, p dialog.Place) anchor.Side {
	response := x.Kind() == script.OnReplyRoute
	if !p.Later {
		if response || x.Kind() == script.BranchRoute {
			return anchor.Callee
		}
		return anchor.Caller
	}
	side := anchor.Caller
	if p.Dir == core.Upstream {
		side = anchor.Callee
	}
	if response {
		return side.Other()
	}
	return side
}

func (m *module) variables() []script.Variable {
	variable := func(name, help string, w whose) script.Variable {
		return script.Variable{Name: name, Help: help, Inner: script.OptionalInner, Index: true, Get: m.get(w), Set: m.set(w)}
	}
	return []script.Variable{
		variable("rtp_relay", "What is asked of the relay for the party that the route is about.", own),
		variable("rtp_relay_peer", "What is asked of the relay for the other party.", func(x *script.Machine, p dialog.Place) anchor.Side { return own(x, p).Other() }),
		variable("rtp_relay_caller", "What is asked of the relay for the caller.", func(*script.Machine, dialog.Place) anchor.Side { return anchor.Caller }),
		variable("rtp_relay_callee", "What is asked of the relay for the callee.", func(*script.Machine, dialog.Place) anchor.Side { return anchor.Callee }),
		{Name: "rtp_relay_ctx", Help: "What is asked of the relay for the call.", Inner: script.ConstInner, Get: m.getContext, Set: m.setContext},
	}
}

// named returns the name of a flag, "flags" where there is none; "" after an error.
func named(u *script.Use, names []string) string {
	name, ok := u.Fixed()
	if !ok || name == "" {
		name = "flags"
	}
	if !slices.Contains(names, name) {
		u.Errorf("%q is none of %s", name, strings.Join(names, ", "))
		return ""
	}
	return name
}

// branchFor is the branch that a use is about: the one of its index, or of the route.
func branchFor(u *script.Use) func(x *script.Machine, p dialog.Place) int {
	if u.Indexed() {
		n, all := u.Index()
		if all || n < 0 {
			u.Errorf("the index is the number of a branch")
		}
		return func(*script.Machine, dialog.Place) int { return n }
	}
	return func(x *script.Machine, p dialog.Place) int {
		if p.Later {
			return -1
		}
		return branchOf(x)
	}
}

func (m *module) get(w whose) func(u *script.Use) script.Getter {
	return func(u *script.Use) script.Getter {
		name, branch := named(u, anchor.PartyFlags), branchFor(u)
		if name == "" {
			return nil
		}
		return func(x *script.Machine, _ int) script.Value {
			s, p := m.follower.Of(x.Context(), false)
			if s == nil {
				return script.Value{}
			}
			return text(x, s.Flag(branch(x, p), w(x, p), name))
		}
	}
}

func text(x *script.Machine, v string) script.Value {
	if v == "" {
		return script.Value{}
	}
	return script.Text(x.KeepString(v))
}

func (m *module) set(w whose) func(u *script.Use) script.Setter {
	return func(u *script.Use) script.Setter {
		name, branch, at := named(u, anchor.PartyFlags), branchFor(u), u.Site()
		if name == "" {
			return nil
		}
		return func(x *script.Machine, v script.Value) int {
			s, p := m.follower.Of(x.Context(), true)
			switch {
			case s == nil:
				return x.Fail(at, "it is for INVITEs and for calls that are engaged")
			case !s.SetFlag(branch(x, p), w(x, p), name, string(x.Text(v))):
				return x.Fail(at, "the value is too long")
			}
			return 1
		}
	}
}

func (m *module) getContext(u *script.Use) script.Getter {
	name := named(u, anchor.CallFlags)
	if name == "" {
		return nil
	}
	return func(x *script.Machine, _ int) script.Value {
		s, _ := m.follower.Of(x.Context(), false)
		if s == nil {
			return script.Value{}
		}
		return text(x, s.CallFlag(name))
	}
}

func (m *module) setContext(u *script.Use) script.Setter {
	name, at := named(u, anchor.CallFlags), u.Site()
	if name == "" {
		return nil
	}
	return func(x *script.Machine, v script.Value) int {
		s, _ := m.follower.Of(x.Context(), true)
		switch {
		case s == nil:
			return x.Fail(at, "it is for INVITEs and for calls that are engaged")
		case !s.SetCallFlag(name, string(x.Text(v))):
			return x.Fail(at, "the value is too long")
		}
		return 1
	}
}
