package script

import "slices"

// AVP is an AVP of a configuration: $avp(name). Its values have the newest first.
type AVP struct{ slot int }

// Len is how many values it has.
func (a *AVP) Len(m *Machine) int { return len(m.avps[a.slot]) }

// Get returns value i, counted from the newest one; NULL if there is none.
func (a *AVP) Get(m *Machine, i int) Value {
	all := m.avps[a.slot]
	if i < 0 || i >= len(all) {
		return null
	}
	return all[len(all)-1-i]
}

// Add puts a value before the others. It reports whether there was room.
func (a *AVP) Add(m *Machine, v Value) bool {
	if len(m.avps[a.slot]) >= maxAVPs {
		return false
	}
	m.avps[a.slot] = append(m.avps[a.slot], v)
	return true
}

// Append puts a value behind the others. It reports whether there was room.
func (a *AVP) Append(m *Machine, v Value) bool {
	if len(m.avps[a.slot]) >= maxAVPs {
		return false
	}
	m.avps[a.slot] = slices.Insert(m.avps[a.slot], 0, v)
	return true
}

// Set makes the value the only one.
func (a *AVP) Set(m *Machine, v Value) { m.avps[a.slot] = append(m.avps[a.slot][:0], v) }

// RemoveFirst takes the newest value away.
func (a *AVP) RemoveFirst(m *Machine) {
	if all := m.avps[a.slot]; len(all) > 0 {
		m.avps[a.slot] = all[:len(all)-1]
	}
}

// Clear takes all values away.
func (a *AVP) Clear(m *Machine) { m.avps[a.slot] = m.avps[a.slot][:0] }

// AVPs are the values of all AVPs beyond a message: those of a transaction. The
// zero value has none. It keeps its memory for the next values. One goroutine at a
// time may use it.
type AVPs struct {
	prog  *Program
	slots [][]Value
	named []string // AVPs that variables have named, whose slots are the last
	text  []byte   // of the values
}

// Reset takes all values away and keeps the memory.
func (a *AVPs) Reset() { a.prog = nil }

// Put puts a text before the values that an AVP of the program has there; one that no script of it names is nobody's.
func (a *AVPs) Put(p *Program, name, text string) {
	slot, ok := p.avps[name]
	if !ok {
		return
	}
	if a.prog != p {
		a.prog, a.text, a.named = p, a.text[:0], a.named[:0]
		a.slots = slices.Grow(a.slots[:0], p.navps)[:p.navps]
		for i := range a.slots {
			a.slots[i] = a.slots[i][:0]
		}
	}
	if len(a.slots[slot]) < maxAVPs {
		a.slots[slot] = append(a.slots[slot], Text([]byte(text)))
	}
}

// PutAVP puts a value before the others of the AVP that has the name; one that no script of the program names is
// nobody's.
func (m *Machine) PutAVP(name string, v Value) {
	if slot, ok := m.prog.avps[name]; ok {
		(&AVP{slot}).Add(m, v)
	}
}

// NamedAVP returns the newest value of the AVP that has the name; NULL where there is none.
func (m *Machine) NamedAVP(name string) Value {
	if slot, ok := m.prog.avps[name]; ok {
		return (&AVP{slot}).Get(m, 0)
	}
	return null
}

// SaveAVPs copies the message's AVPs into to, in place of what it had.
func (m *Machine) SaveAVPs(to *AVPs) {
	size, some := 0, false
	for _, list := range m.avps {
		some = some || len(list) > 0
		for _, v := range list {
			size += len(v.s)
		}
	}
	if !some { // and takes no memory
		to.Reset()
		return
	}
	to.prog, to.text, to.named = m.prog, slices.Grow(to.text[:0], size), append(to.named[:0], m.named...)
	n := m.prog.navps + len(m.named)
	to.slots = slices.Grow(to.slots[:0], n)[:n]
	for i, list := range m.avps[:n] {
		kept := to.slots[i][:0]
		for _, v := range list {
			if v.kind == textValue {
				from := len(to.text)
				to.text = append(to.text, v.s...)
				v.s = to.text[from:len(to.text):len(to.text)]
			}
			kept = append(kept, v)
		}
		to.slots[i] = kept
	}
}

// LoadAVPs has the message begin with copies of the AVPs of from, in place of its
// own. Those of another Program are none.
func (m *Machine) LoadAVPs(from *AVPs) {
	for i := range m.avps {
		m.avps[i] = m.avps[i][:0]
	}
	m.named = m.named[:0]
	if from.prog != m.prog {
		return
	}
	m.nameAVPs(from.named)
	for i, list := range from.slots {
		for _, v := range list {
			if v.kind == textValue {
				v.s = m.Keep(v.s)
			}
			m.avps[i] = append(m.avps[i], v)
		}
	}
}
