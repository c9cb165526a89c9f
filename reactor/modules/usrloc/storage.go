package usrloc

import (
	"context"
	"errors"
	"strings"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/store"
)

// batch is how many changes are written in one transaction.
const batch = 500

// names returns the names of the columns in the order of value.
func (c *columns) names() []string {
	return []string{c.id, c.user, c.domain, c.contact, c.received, c.path, c.expires, c.q, c.callID, c.cseq, c.modified,
		c.flags, c.cflags, c.agent, c.socket, c.methods, c.instance, c.attr, c.kv}
}

// checkTables tells what is wrong with the tables of contacts.
func (m *Module) checkTables() error {
	var wrong []error
	for _, t := range m.list() {
		q := store.Select{Table: t.name, Columns: m.columns.names()}
		wrong = append(wrong, database.CheckTables(m.places[t.name].named, m.db, m.env.Log, q))
	}
	return errors.Join(wrong...)
}

// tellUnfilled tells the tables in memory that are asked for users whom nothing writes there: most likely another name was meant.
func (m *Module) tellUnfilled() {
	var filled []string
	for _, t := range m.list() {
		if m.places[t.name].filled {
			filled = append(filled, t.name)
		}
	}
	for _, t := range m.list() {
		if p := m.places[t.name]; !p.filled && len(filled) > 0 {
			m.env.Log.Warn("usrloc: no save() of the script writes to the table, so that nobody is found in it", "table", t.name, "at", p.named.String(), "written", strings.Join(filled, " "))
		}
	}
}

// writeBack writes what has changed, until the program ends. A database that is away is told of once an interval.
func (m *Module) writeBack(ctx context.Context) {
	tick := time.NewTicker(m.every())
	defer tick.Stop()
	var told time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-m.wake:
		}
		switch err := m.write(ctx); {
		case err == nil:
			told = time.Time{}
		case ctx.Err() == nil && time.Since(told) > m.interval/2:
			m.env.Log.Warn("usrloc: the database takes no contacts: they wait", "error", err, "contacts", m.unstored())
			told = time.Now()
		}
	}
}

// write writes what has changed since the last time.
func (m *Module) write(ctx context.Context) (err error) {
	for _, t := range m.list() {
		err = errors.Join(err, m.writeTable(ctx, t))
	}
	return err
}

func (m *Module) writeTable(ctx context.Context, t *table) error {
	t.flush.lock()
	defer t.flush.unlock()
	return m.writeChanged(ctx, t)
}

// writeNow is writeTable while a message waits. In write-through, where what is not stored may wait, only writeBack tries a
// database whose last write has failed.
func (m *Module) writeNow(ctx context.Context, t *table) error {
	if err := t.flush.lockUnlessFailed(m.mode == writeThrough); err != nil {
		return err
	}
	defer t.flush.unlock()
	return m.writeChanged(ctx, t)
}

// writeChanged writes what has changed in a table. Its flush is held.
func (m *Module) writeChanged(ctx context.Context, t *table) error {
	err := t.Changed(batch, func(list []location.Stored) error {
		apply := func(ctx context.Context, list []location.Stored) error { return m.apply(ctx, t.name, list) }
		return store.Singly(ctx, list, apply, func(x *location.Stored, err error) {
			t.refuse(x.AOR)
			m.env.Log.Warn("usrloc: the database refuses a contact, which is not stored", "aor", x.AOR, "contact", x.URI(), "error", err)
		})
	})
	if err == nil {
		m.settled(t)
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrClosed) { // which say nothing to the next configuration, whose database is open
		t.flush.ended(err)
	}
	return err
}

// errRefused tells that a contact is in memory alone.
var errRefused = errors.New("usrloc: the database has refused a contact")

func (m *Module) unstored() (n int) {
	for _, t := range m.list() {
		n += t.Unstored()
	}
	return n
}

// apply writes a batch in one transaction. Rows are put over those with the same ID: so a batch that was written before,
// without us hearing of it, does no harm.
func (m *Module) apply(ctx context.Context, name string, list []location.Stored) error {
	var gone []store.Value
	var rows [][]store.Value
	for i := range list {
		if list[i].Delete {
			gone = append(gone, store.Int(int64(list[i].ID)))
		} else {
			rows = append(rows, m.row(&list[i]))
		}
	}
	var changes []store.Change
	if len(gone) > 0 {
		changes = append(changes, store.Change{Verb: store.VerbDelete, Table: name, Where: []store.Cond{{Column: m.columns.id, Any: gone}}})
	}
	if len(rows) > 0 {
		changes = append(changes, store.Change{Verb: store.VerbUpsert, Table: name, Key: []string{m.columns.id}, Columns: m.columns.names(), Rows: rows})
	}
	_, err := m.db.Apply(ctx, changes...)
	return err
}

func (m *Module) row(x *location.Stored) []store.Value {
	user, domain, _ := strings.Cut(x.AOR, "@")
	q := float64(-1)
	if x.Q != location.NoQ {
		q = float64(x.Q) / 1000
	}
	methods := store.Null
	if x.Methods != location.AllMethods {
		methods = store.Int(int64(x.Methods))
	}
	optional := func(s string) store.Value {
		if s == "" {
			return store.Null
		}
		return store.String(s)
	}
	agent := x.Agent()
	if agent == "" {
		agent = noAgent
	}
	return []store.Value{
		store.Int(int64(x.ID)), store.String(user), optional(domain), store.String(x.URI()), optional(x.Received()),
		optional(x.Path()), store.Int(x.Expires), store.Float(q), store.String(x.CallID()), store.Int(int64(x.CSeq)),
		store.Time(time.Unix(x.Modified, 0)), store.Int(int64(x.Flags &^ (1 << 31))), optional(m.flagNames(m.Flags(&x.Contact))), store.Cuttable(agent),
		optional(x.Socket()), methods, optional(x.Instance()), optional(x.Attr()), optional(x.Kept()),
	}
}

// rowsOf are the conditions that the rows of an address of record meet.
func (m *Module) rowsOf(aor string) []store.Cond {
	user, domain, has := strings.Cut(aor, "@")
	where := []store.Cond{store.Equal(m.columns.user, store.String(user))}
	if has {
		where = append(where, store.Equal(m.columns.domain, store.String(domain)))
	}
	return where
}

// sync empties a table of the database and writes all contacts anew.
func (m *Module) sync(ctx context.Context, a *rpc.Args) (any, error) {
	switch {
	case m.db == nil:
		return nil, errNoDB
	case m.mode == sqlOnly:
		return nil, errShared
	}
	m.mu.Lock()
	t := m.tables[a.Text("table_name")]
	m.mu.Unlock()
	if t == nil {
		return nil, errTable
	}
	var where []store.Cond
	only := ""
	if a.Has("aor") {
		_, aor, err := m.find(a)
		if err != nil {
			return nil, err
		}
		only = string(aor)
		where = m.rowsOf(only)
	}
	t.flush.lock()
	defer t.flush.unlock()
	if _, err := m.db.Delete(ctx, t.name, where...); err != nil {
		return nil, rpc.Failed(err.Error(), nil)
	}
	var list []location.Stored
	t.Each(func(c *location.Contact) bool {
		if c.Flags&location.MemoryOnly == 0 && (only == "" || c.AOR() == only) {
			list = append(list, location.Stored{Contact: *c, AOR: c.AOR()})
		}
		return true
	})
	for len(list) > 0 {
		n := min(batch, len(list))
		if err := m.apply(ctx, t.name, list[:n]); err != nil {
			return nil, rpc.Failed(err.Error(), nil)
		}
		list = list[n:]
	}
	return "OK", nil
}
