package script

import "sipreactor/reactor/proxy"

// Local is what a module keeps for the message that is handled. It is nil at the
// beginning of each.
type Local struct{ slot int }

// Forker is what a Local has that launch() takes along.
type Forker interface {
	// Fork copies it for another goroutine.
	Fork() any
}

// Local makes one.
func (l *Loading) Local() *Local {
	l.k.prog.nlocals++
	return &Local{l.k.prog.nlocals - 1}
}

// Get returns what Set has kept for the message, nil if nothing.
func (x *Local) Get(m *Machine) any { return m.locals[x.slot] }

// Set keeps v until the message is done.
func (x *Local) Set(m *Machine, v any) { m.locals[x.slot] = v }

// MachineOf returns the machine of the program that handles the message of c; nil if
// none does.
func (p *Program) MachineOf(c *proxy.Context) *Machine {
	if m, ok := c.User.(*Machine); ok && m.prog == p && m.c == c {
		return m
	}
	return nil
}
