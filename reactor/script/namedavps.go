package script

// AVPs that variables name, $avp($var(x)): one that the program names elsewhere is that
// one; the others exist for the message, and its transaction, that gave them a value.

// Bounds of what a message can name.
const (
	maxNamedAVPs = 64
	maxAVPName   = 255
)

// findAVP gives the slot of the AVP of a name; false: nothing has named it yet.
func (m *Machine) findAVP(name []byte) (int, bool) {
	if slot, ok := m.prog.avps[string(name)]; ok {
		return slot, true
	}
	for i, n := range m.named {
		if n == string(name) {
			return m.prog.navps + i, true
		}
	}
	return 0, false
}

// nameAVPs makes slots for AVPs of these names, which have none yet.
func (m *Machine) nameAVPs(names []string) {
	m.named = append(m.named, names...)
	for len(m.avps) < m.prog.navps+len(m.named) {
		m.avps = append(m.avps, nil)
	}
}

// namedAVPItem gets $avp($var(x))[i].
func namedAVPItem(name func(*Machine) []byte) Getter {
	if name == nil {
		return nil
	}
	return func(m *Machine, i int) Value {
		slot, ok := m.findAVP(name(m))
		if !ok {
			return null
		}
		return m.avpValue(slot, i)
	}
}

// namedAVPSetter is the assignment to $avp($var(x)).
func namedAVPSetter(name func(*Machine) []byte, assign func(m *Machine, slot int, v Value, at *Site) int, at *Site) Setter {
	if name == nil {
		return nil
	}
	return func(m *Machine, v Value) int {
		n := name(m)
		slot, ok := m.findAVP(n)
		switch {
		case ok:
		case len(n) == 0 || len(n) > maxAVPName:
			return m.Fail(at, "the name of an AVP is empty or too long")
		case v.kind == nullValue:
			return 1 // there is nothing to take away
		case len(m.named) == maxNamedAVPs:
			return m.Fail(at, "variables name too many AVPs")
		default:
			slot = m.prog.navps + len(m.named)
			m.nameAVPs([]string{string(n)})
		}
		return assign(m, slot, v, at)
	}
}

// printAVP writes the values of an AVP to the log.
func (m *Machine) printAVP(at *Site, name string, slot int) {
	for i := range m.avps[slot] {
		at.say(m, LevelInfo, "script: $avp("+name+") = "+string(m.Text(m.avpValue(slot, i))))
	}
}
