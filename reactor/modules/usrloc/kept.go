package usrloc

import (
	"context"
	"encoding/csv"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/store"
)

// What the database has not taken when the program stops is kept in state_dir: a file of each table, with the columns of
// its rows and one that says which rows are to go. The next life of the program reads it behind the table, and removes it
// once the database has taken all of it.

// maxKept bounds the contacts of such a file.
const maxKept = 500000

// goneColumn is the last column of the file.
const goneColumn = "gone"

// kept is what a table knows of its file.
type kept struct {
	there atomic.Bool // it has to be removed
	gone  []gone      // whose rows are to go once they are read, of a table that is not; read and write one behind the other
}

// gone is a contact of an earlier life of the program that had ended there.
type gone struct {
	aor      string
	id       uint64
	modified int64
}

// keptPath is where a table's file is; "" nowhere.
func (m *Module) keptPath(t *table) string {
	if m.env.StateDir == "" || m.mode == sqlOnly {
		return ""
	}
	return filepath.Join(m.env.StateDir, "contacts-"+url.PathEscape(t.name)+".csv")
}

// keep writes the files as the program stops, and tells what the database has not taken, and why.
func (m *Module) keep(why error) {
	for _, t := range m.list() {
		waiting := t.Unstored()
		if waiting == 0 && len(t.kept.gone) == 0 {
			continue
		}
		n, err := m.keepTable(t)
		switch {
		case err != nil:
			m.env.Log.Warn("usrloc: contacts are lost: the database is away", "error", why, "table", t.name, "contacts", waiting, "kept", err)
		case n < waiting:
			m.env.Log.Warn("usrloc: contacts are lost: the database is away", "error", why, "table", t.name, "contacts", waiting, "kept", n)
		default:
			m.env.Log.Warn("usrloc: contacts are kept for the next start: the database is away", "error", why, "table", t.name, "contacts", n)
		}
	}
}

var errNoStateDir = errors.New("there is no state_dir")

// keepTable writes the file of a table, and returns how many contacts there was room for.
func (m *Module) keepTable(t *table) (n int, err error) {
	path := m.keptPath(t)
	if path == "" {
		return 0, errNoStateDir
	}
	t.flush.lock()
	defer t.flush.unlock()
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := csv.NewWriter(f)
	_ = w.Write(append(m.columns.names(), goneColumn)) // its errors are Error's
	write := func(x *location.Stored) {
		if n++; n > maxKept {
			return
		}
		var fields []string
		for _, v := range m.row(x) {
			fields = append(fields, v.Text())
		}
		is := "0"
		if x.Delete {
			is = "1"
		}
		_ = w.Write(append(fields, is))
	}
	for _, g := range t.kept.gone {
		write(&location.Stored{Contact: location.Contact{ID: g.id, Modified: g.modified}, AOR: g.aor, Delete: true})
	}
	_ = t.Changed(batch, func(list []location.Stored) error {
		for i := range list {
			write(&list[i])
		}
		return nil
	})
	w.Flush()
	if err = errors.Join(w.Error(), f.Sync()); err == nil {
		err = os.Rename(path+".new", path)
	}
	return min(n, maxKept), err
}

// readKept puts what another life has kept over what was read of a table.
func (m *Module) readKept(t *table) {
	path := m.keptPath(t)
	if path == "" {
		return
	}
	now, n := time.Now().Unix(), 0
	q := store.Select{Table: t.name, Columns: append(m.columns.names(), goneColumn), Key: m.columns.id}
	err := store.File{Path: path}.Load(context.Background(), q, func(r *store.Row) error {
		aor, x := m.read(r)
		is := r.Int(r.Len()-1) != 0
		if err := r.Err(); err != nil {
			m.env.Log.Warn("usrloc: a row is left out", "error", err)
			return nil
		}
		n++
		if x.Unstored = true; is || !x.Alive(now) {
			t.kept.gone = append(t.kept.gone, gone{string(aor), x.ID, x.Modified})
		} else {
			t.Restore(aor, &x, now)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil { // the file stays, to be looked at: what is stored later is newer than it
		m.env.Log.Warn("usrloc: not all contacts that were kept can be read", "error", err)
	}
	t.kept.there.Store(err == nil)
	m.env.Log.Info("usrloc: contacts that were kept were read", "table", t.name, "contacts", n)
	if !t.unread.Load() {
		m.forget(t)
	}
}

// forget drops the contacts that had ended, of a table that has been read.
func (m *Module) forget(t *table) {
	for _, g := range t.kept.gone {
		t.Forget([]byte(g.aor), g.id, g.modified)
	}
	t.kept.gone = nil
}

// settled removes the file of a table that has been read, and written since.
func (m *Module) settled(t *table) {
	if t.kept.there.Load() && !t.unread.Load() && t.kept.there.CompareAndSwap(true, false) {
		_ = os.Remove(m.keptPath(t)) // one that stays is older than what is stored
	}
}
