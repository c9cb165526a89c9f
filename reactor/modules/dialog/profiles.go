package dialog

import (
	"strings"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

// profileArg returns what gives the profile of an argument. One that is named by a constant has to be there.
func (m *Module) profileArg(a *script.Args) (func(x *script.Machine) *core.Profile, bool) {
	if name, fixed := a.Fixed(0); fixed {
		p := m.profiles[name]
		if p == nil {
			a.Errorf(0, `there is no profile %q: modparam("dialog", "profiles_with_value", "...") or profiles_no_value make them`, name)
			return nil, false
		}
		return func(*script.Machine) *core.Profile { return p }, true
	}
	text, at := a.Text(0), a.Site()
	return func(x *script.Machine) *core.Profile {
		b, _ := text(x)
		p := m.profiles[string(b)]
		if p == nil {
			x.Fail(at, "there is no profile "+string(b))
		}
		return p
	}, true
}

func (m *Module) setProfile(a *script.Args) script.Action {
	profile, ok := m.profileArg(a)
	if !ok {
		return nil
	}
	value, clear, at := a.Text(1), a.Int(2), a.Site()
	return m.withDialog(func(x *script.Machine, d *core.Dialog) int {
		p := profile(x)
		if p == nil {
			return -1
		}
		v, given := value(x)
		if p.HasValue && !given {
			return x.Fail(at, "the profile "+p.Name+" needs a value")
		}
		if c, _ := clear(x); c != 0 {
			d.Leave(p, "", true)
		}
		return script.Yes(d.Join(p, string(v)))
	})
}

func (m *Module) unsetProfile(a *script.Args) script.Action {
	return m.withProfile(a, (*core.Dialog).Leave)
}

func (m *Module) inProfile(a *script.Args) script.Action {
	return m.withProfile(a, (*core.Dialog).In)
}

// withProfile compiles what is done with the dialog, a profile and a value in it: all, where none is given.
func (m *Module) withProfile(a *script.Args, do func(d *core.Dialog, p *core.Profile, value string, all bool) bool) script.Action {
	profile, ok := m.profileArg(a)
	if !ok {
		return nil
	}
	value := a.Text(1)
	return m.withDialog(func(x *script.Machine, d *core.Dialog) int {
		p := profile(x)
		if p == nil {
			return -1
		}
		v, given := value(x)
		return script.Yes(do(d, p, string(v), !given))
	})
}

func (m *Module) profileSize(a *script.Args) script.Action {
	profile, ok := m.profileArg(a)
	if !ok {
		return nil
	}
	set := a.Setter(2)
	if set == nil {
		a.Errorf(-1, "get_profile_size() needs a variable for the size")
		return nil
	}
	value := a.Text(1)
	return func(x *script.Machine) int {
		p := profile(x)
		if p == nil {
			return -1
		}
		n := 0
		if v, given := value(x); given && p.HasValue {
			n = p.SizeOf(string(v))
		} else {
			n = p.Size()
		}
		set(x, script.Int(int64(n)))
		return 1
	}
}

func (m *Module) ofProfile(a *script.Args) script.Action {
	profile, ok := m.profileArg(a)
	if !ok {
		return nil
	}
	value, avp, count := a.Text(1), a.AVP(2), a.Setter(3)
	return func(x *script.Machine) int {
		p := profile(x)
		if p == nil {
			return -1
		}
		v, given := value(x)
		return m.collect(x, avp, count, func(d *core.Dialog) bool { return d.In(p, string(v), !given) })
	}
}

// lines repairs the ends of header lines that a script gives.
func lines(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	if !strings.HasSuffix(text, "\r\n") {
		text += "\r\n"
	}
	return text
}
