package sqlscript

import (
	"context"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Call is a call in a route that asks a database.
type Call struct {
	at   *script.Site
	pick func(m *script.Machine) *numbered
}

// Call compiles argument i of a call, the number of its database; nil after an
// error.
func (d *Databases) Call(a *script.Args, i int) *Call {
	pick := d.argument(a, i)
	if pick == nil {
		return nil
	}
	return &Call{at: a.Site(), pick: pick}
}

// Do asks the database, off the loops, and returns 1, or -1 where that failed, which
// is logged.
func (c *Call) Do(m *script.Machine, f func(ctx context.Context, db *store.DB) error) int {
	n := c.pick(m)
	if n == nil {
		return -1
	}
	return c.on(m, n, f)
}

func (c *Call) on(m *script.Machine, n *numbered, f func(ctx context.Context, db *store.DB) error) int {
	return script.Yes(database.Ask(m, c.at, func() error { return f(context.Background(), n.db) }))
}

// Refuse logs why the database is not asked, and returns -1.
func (c *Call) Refuse(m *script.Machine, err error) int {
	m.Say(c.at, script.LevelError, "the database is not asked", "error", err)
	return -1
}
