package usrloc

import (
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/script"
)

// What other modules ask of usrloc.

// RepeatWithin is cseq_delay as location.Update has it.
func (m *Module) RepeatWithin() int64 {
	if m.cseqDelay == 0 {
		return -1
	}
	return m.cseqDelay
}

// Table returns the place of the table of that name, which is made if it is not there. It is called while the
// configuration is loaded, with the place of the name there, and whether registrations are written to the table.
func (m *Module) Table(name string, at script.Pos, filled bool) *Place {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.places[name]; p != nil {
		p.filled = p.filled || filled
		return p
	}
	t, p := &table{name: name, flush: newFlush()}, &Place{named: at, filled: filled}
	t.Table = location.New(location.Config{
		MaxContacts: int(m.maxContacts), NewestFirst: m.newestFirst, Persistent: m.mode != memoryOnly, Shared: m.mode == sqlOnly,
		Notify: func(c location.Change) { t.owner.Load().changed(t, &c) },
	})
	t.owner.Store(m)
	p.at.Store(t)
	m.tables[name], m.places[name] = t, p
	m.sort()
	m.module.Statistics = append(m.module.Statistics, p.statistics(name)...)
	return p
}

// Watch has f told of each change of a contact, by the goroutine that makes it: in the Check of a module.
func (m *Module) Watch(f func(table string, c *location.Change)) { m.watchers = append(m.watchers, f) }

// IndexIDs has contacts found by their IDs, in all tables: in the Check of a module.
func (m *Module) IndexIDs() { m.indexed = true }

// Shared reports whether other servers write contacts, too (sql-only): from its Check on.
func (m *Module) Shared() bool { return m.mode == sqlOnly }

// NATFlagName returns nat_bflag, "" if it is not set.
func (m *Module) NATFlagName() string { return m.natFlag.Text }

// NATFlag returns the branch flag of nat_bflag, -1 if there is none.
func (m *Module) NATFlag() int { return m.natBit }

// Each calls visit for the contacts of one of so many parts of all tables. The contact is valid in the call only, which
// must not wait.
func (m *Module) Each(part, parts int, visit func(table string, c *location.Contact)) {
	for _, t := range m.list() {
		t.EachOf(part, parts, func(c *location.Contact) bool {
			visit(t.name, c)
			return true
		})
	}
}

// Registered reports whether an address of record has contacts in a table.
func (m *Module) Registered(name, aor string) bool {
	m.mu.Lock()
	t := m.tables[name]
	m.mu.Unlock()
	return t != nil && t.Lookup([]byte(aor), time.Now().Unix(), func(*location.Contact) bool { return false }) > 0
}

// Drop removes a contact by its ID. It reports whether it was there.
func (m *Module) Drop(name, aor string, id uint64) bool {
	m.mu.Lock()
	t := m.tables[name]
	m.mu.Unlock()
	return t != nil && t.RemoveWhere([]byte(aor), func(c *location.Contact) bool { return c.ID == id }) > 0
}
