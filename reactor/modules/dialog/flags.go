package dialog

import (
	"strings"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

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

// flagText lists the flags that are set.
func (m *Module) flagText(flags uint32) string {
	var names []string
	for n, name := range m.names {
		if flags&(1<<n) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// parseFlagText reads that: flags that the script no longer has are gone.
func (m *Module) parseFlagText(text string) (flags uint32) {
	for name := range strings.FieldsSeq(text) {
		if n, ok := m.flags[name]; ok {
			flags |= 1 << n
		}
	}
	return flags
}
