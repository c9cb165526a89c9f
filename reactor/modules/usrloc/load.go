package usrloc

import (
	"context"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/store"
)

// first reads a table as the module starts. A database that is away is a warning: it is read once it is back.
func (m *Module) first(t *table) {
	if err := m.load(t); err != nil {
		t.unread.Store(true)
		m.env.Log.Warn("usrloc: contacts were not read: they are, as soon as the database is back", "table", t.name, "error", err)
	}
	m.readKept(t)
}

// readLater does what first could not. Who has registered meanwhile is known better than the rows tell.
func (m *Module) readLater(ctx context.Context) {
	for _, t := range m.list() {
		if t.unread.Load() && m.write(ctx) == nil && m.load(t) == nil { // a contact that has been removed is not to come back
			t.flush.lock() // what settles the table is behind it
			m.forget(t)
			t.unread.Store(false)
			t.flush.unlock()
		}
	}
}

// load reads a table's rows, however many. A row that cannot be read is left out with a warning.
func (m *Module) load(t *table) error {
	now := time.Now().Unix()
	loaded, bad := 0, 0
	err := m.db.LoadPages(context.Background(), m.env.Log, store.Select{Table: t.name, Columns: m.columns.names(), Key: m.columns.id}, func(r *store.Row) error {
		aor, x := m.read(r)
		if err := r.Err(); err != nil {
			bad++
			m.env.Log.Warn("usrloc: a row is left out", "error", err)
		} else if t.Restore(aor, &x, now) {
			loaded++
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.env.Log.Info("usrloc: contacts were read", "table", t.name, "contacts", loaded, "left out", bad)
	return nil
}

// read makes a contact of a row, which tells whether it can be.
func (m *Module) read(r *store.Row) (aor []byte, x location.Row) {
	x.Contact = location.Contact{
		ID: uint64(r.Int(0)), Expires: r.Int(6), Q: location.NoQ, CSeq: uint32(r.Int(9)),
		Modified: r.Time(10).Unix(), Flags: uint32(r.Int(11)), BranchFlags: m.flagsOf(r.Text(12)), Era: m.era, Methods: location.AllMethods,
	}
	if q := r.Float(7); q >= 0 {
		x.Q = int16(q*1000 + 0.5)
	}
	if !r.IsNull(15) {
		x.Methods = uint32(r.Int(15))
	}
	x.Texts = location.Texts{
		URI: []byte(r.Text(3)), Received: []byte(r.Text(4)), Path: []byte(r.Text(5)), CallID: []byte(r.Text(8)),
		Agent: []byte(r.Text(13)), Socket: []byte(r.Text(14)), Instance: []byte(r.Text(16)), Attr: []byte(r.Text(17)),
		Kept: []byte(r.Text(18)),
	}
	return m.AppendAOR(nil, []byte(r.Text(1)), []byte(r.Text(2))), x
}
