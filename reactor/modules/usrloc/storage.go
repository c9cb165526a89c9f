package usrloc

import (
	"context"
	"strings"
	"time"

	"sipreactor/reactor/location"
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

// load reads a table's rows. A row that cannot be read is left out with a warning.
func (m *Module) load(t *table) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	now := time.Now().Unix()
	loaded, bad := 0, 0
	err := m.db.Load(ctx, store.Select{Table: t.name, Columns: m.columns.names(), Key: m.columns.id}, func(r *store.Row) error {
		user, domain := r.Text(1), r.Text(2)
		c := &location.Contact{
			ID: uint64(r.Int(0)), Expires: r.Int(6), Q: location.NoQ, CSeq: uint32(r.Int(9)),
			Modified: r.Time(10).Unix(), Flags: uint32(r.Int(11)), BranchFlags: m.flagsOf(r.Text(12)), Era: m.era, Methods: location.AllMethods,
		}
		if q := r.Float(7); q >= 0 {
			c.Q = int16(q*1000 + 0.5)
		}
		if !r.IsNull(15) {
			c.Methods = uint32(r.Int(15))
		}
		x := &location.Texts{
			URI: []byte(r.Text(3)), Received: []byte(r.Text(4)), Path: []byte(r.Text(5)), CallID: []byte(r.Text(8)),
			Agent: []byte(r.Text(13)), Socket: []byte(r.Text(14)), Instance: []byte(r.Text(16)), Attr: []byte(r.Text(17)),
			Kept: []byte(r.Text(18)),
		}
		if err := r.Err(); err != nil {
			bad++
			m.env.Log.Warn("usrloc: a row is left out", "error", err)
			return nil
		}
		if t.Restore(m.AppendAOR(nil, []byte(user), []byte(domain)), c, x, now) {
			loaded++
		}
		return nil
	})
	if err != nil {
		m.env.Log.Warn("usrloc: no contacts were read: those that register from now on are written", "table", t.name, "error", err)
		return nil
	}
	m.env.Log.Info("usrloc: contacts were read", "table", t.name, "contacts", loaded, "left out", bad)
	return nil
}

// writeBack writes what has changed, until the program ends.
func (m *Module) writeBack(ctx context.Context) {
	tick := time.NewTicker(m.every())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-m.wake:
		}
		if err := m.write(ctx); err != nil && ctx.Err() == nil {
			m.env.Log.Warn("usrloc: the database takes no contacts: they wait", "error", err, "contacts", m.unstored())
		}
	}
}

// write writes what has changed since the last time.
func (m *Module) write(ctx context.Context) error {
	for _, t := range m.list() {
		if err := m.writeTable(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (m *Module) writeTable(ctx context.Context, t *table) error {
	t.flush.Lock()
	defer t.flush.Unlock()
	return t.Changed(batch, func(list []location.Stored) error { return m.apply(ctx, t.name, list) })
}

func (m *Module) unstored() (n int) {
	for _, t := range m.list() {
		n += t.Unstored()
	}
	return n
}

// apply writes a batch in one transaction. What is to be written is deleted first: so a batch that was written before,
// without us hearing of it, does no harm.
func (m *Module) apply(ctx context.Context, name string, list []location.Stored) error {
	var changes []store.Change
	for i := range list {
		x := &list[i]
		id := store.Equal(m.columns.id, store.Int(int64(x.ID)))
		if x.Delete || x.State() != location.StateNew {
			changes = append(changes, store.Change{Verb: store.VerbDelete, Table: name, Where: []store.Cond{id}})
		}
		if !x.Delete {
			changes = append(changes, store.Change{Verb: store.VerbUpsert, Table: name, Key: []string{m.columns.id}, Columns: m.columns.names(),
				Rows: [][]store.Value{m.row(x)}})
		}
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
		store.Time(time.Unix(x.Modified, 0)), store.Int(int64(x.Flags &^ (1 << 31))), optional(m.flagNames(m.Flags(&x.Contact))), store.String(agent),
		optional(x.Socket()), methods, optional(x.Instance()), optional(x.Attr()), optional(x.Kept()),
	}
}

// sync empties a table of the database and writes all contacts anew.
func (m *Module) sync(ctx context.Context, a *rpc.Args) (any, error) {
	if m.db == nil {
		return nil, errNoDB
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
		user, domain, has := strings.Cut(only, "@")
		where = append(where, store.Equal(m.columns.user, store.String(user)))
		if has {
			where = append(where, store.Equal(m.columns.domain, store.String(domain)))
		}
	}
	t.flush.Lock()
	defer t.flush.Unlock()
	if _, err := m.db.Delete(ctx, t.name, where...); err != nil {
		return nil, &rpc.Error{Code: 500, Message: err.Error()}
	}
	var list []location.Stored
	t.Each(func(c *location.Contact) bool {
		if only == "" || c.AOR() == only {
			list = append(list, location.Stored{Contact: *c, AOR: c.AOR()})
		}
		return true
	})
	for len(list) > 0 {
		n := min(batch, len(list))
		if err := m.apply(ctx, t.name, list[:n]); err != nil {
			return nil, &rpc.Error{Code: 500, Message: err.Error()}
		}
		list = list[n:]
	}
	return "OK", nil
}
