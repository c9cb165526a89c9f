package usrloc

import (
	"context"
	"errors"
	"hash/maphash"
	"sync/atomic"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Place is where a configuration finds a table, which may be that of the configuration before.
type Place struct {
	at     atomic.Pointer[table]
	named  script.Pos // where the script names it first
	filled bool       // the script writes registrations to it
}

// Table returns the table.
func (p *Place) Table() *location.Table { return p.at.Load().Table }

// Name returns the table's name.
func (p *Place) Name() string { return p.at.Load().name }

// statistics are those of a table: "location-users" and so on.
func (p *Place) statistics(name string) []script.Statistic {
	return []script.Statistic{
		{Name: name + "-users", Gauge: true, Help: "Addresses of record of the table.", Value: func() uint64 { return uint64(p.Table().Stats().Records) }},
		{Name: name + "-contacts", Gauge: true, Help: "Contacts of the table.", Value: func() uint64 { return uint64(p.Table().Stats().Contacts) }},
		{Name: name + "-expires", Help: "Contacts of the table whose time was over.", Value: func() uint64 { return p.Table().Stats().Expired }},
	}
}

// Shared reports whether other servers write contacts, too (sql-only): what is in memory counts only within Do.
func (p *Place) Shared() bool { return p.at.Load().owner.Load().mode == sqlOnly }

// Waits reports whether changes are to be stored before they are answered (write-through, sql-only): they are made
// within Do.
func (p *Place) Waits() bool { return p.at.Load().owner.Load().mode >= writeThrough }

// ErrBusy is what Do returns, having done nothing, when too many messages wait.
var ErrBusy = errors.New("usrloc: too many messages wait for the database")

// Waiter is a message that may wait.
type Waiter interface{ Wait(f func()) bool }

// Do has f read the contacts of an address of record, or change them, while the message of w waits. In sql-only those
// are the stored ones, and an error tells that they could not be read, or the change not be stored. In write-through
// the database is no reason for one: what it did not take is stored later.
func (p *Place) Do(w Waiter, aor []byte, changes bool, f func()) error {
	err := ErrBusy
	w.Wait(func() { err = p.at.Load().do(context.Background(), aor, changes, f) })
	return err
}

func (t *table) do(ctx context.Context, aor []byte, changes bool, f func()) error {
	turn := t.turn(aor)
	turn.Lock()
	defer turn.Unlock()
	if t.owner.Load().mode == sqlOnly {
		if err := t.by(func(m *Module) error { return m.refresh(ctx, t, aor) }); err != nil {
			return err
		}
	}
	if !changes || t.owner.Load().mode < writeThrough {
		f()
		return nil
	}
	h := &holder{aor: string(aor)}
	turn.holder.Store(h)
	defer turn.holder.Store(nil)
	f()
	// Who waits for the one before has its changes written by that one, most of the time.
	err := t.by(func(m *Module) error { return m.writeNow(ctx, t) })
	switch {
	case t.owner.Load().mode == writeThrough:
		return nil
	case err == nil && h.refused.Load():
		return errRefused
	}
	return err
}

func (t *table) turn(aor []byte) *turn {
	return &t.turns[maphash.Bytes(turnSeed, aor)%uint64(len(t.turns))]
}

// refuse notes that the database has refused a contact, for who changes those of its address of record now: whose write
// that was does not tell whose contact it is.
func (t *table) refuse(aor string) {
	if h := t.turn([]byte(aor)).holder.Load(); h != nil && h.aor == aor {
		h.refused.Store(true)
	}
}

var turnSeed = maphash.MakeSeed()

// by has the owner do something with its database; the next one, if a reload has taken that away meanwhile.
func (t *table) by(f func(m *Module) error) error {
	m := t.owner.Load()
	err := f(m)
	if next := t.owner.Load(); errors.Is(err, store.ErrClosed) && next != m {
		return f(next)
	}
	return err
}

// refreshMost is how long refresh may take.
const refreshMost = 3 * time.Second

// refresh reads the rows of an address of record.
func (m *Module) refresh(ctx context.Context, t *table, aor []byte) error {
	ctx, cancel := context.WithTimeout(ctx, refreshMost)
	defer cancel()
	var rows []location.Row
	q := store.Select{Table: t.name, Columns: m.columns.names(), Key: m.columns.id, Where: m.rowsOf(string(aor))}
	err := m.db.Load(ctx, q, func(r *store.Row) error {
		_, x := m.read(r)
		if err := r.Err(); err != nil {
			m.env.Log.Warn("usrloc: a row is left out", "error", err)
		} else {
			rows = append(rows, x)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.Replace(aor, rows, time.Now().Unix())
	return nil
}

// clean deletes the rows that are over, whosoever they were (sql-only).
func (m *Module) clean(ctx context.Context) {
	for _, t := range m.list() {
		over := []store.Cond{{Column: m.columns.expires, Op: "<>", Value: store.Int(0)},
			{Column: m.columns.expires, Op: "<", Value: store.Int(time.Now().Unix())}}
		if _, err := m.db.Delete(ctx, t.name, over...); err != nil && ctx.Err() == nil {
			m.env.Log.Warn("usrloc: rows that are over stay", "table", t.name, "error", err)
		}
	}
}
