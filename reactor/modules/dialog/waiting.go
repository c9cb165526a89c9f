package dialog

import (
	"context"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/store"
)

// waiting are the calls that the database has not taken: rows in state_dir, for another life of the program, which has them
// beside, and before, those of the table. A file of CSV with the columns of the table and one that tells that a call has
// ended; of the lines of a call the last one counts. It is written behind each try of the database that fails, and goes
// once that has taken all. Module.flush guards it.
type waiting struct {
	path  string // "" there is no state_dir
	read  bool   // what another life has left is here
	lines int
	calls map[core.ID]bool // that the file has as running
	err   error            // why it has not all
}

const (
	goneColumn = "gone"
	maxWaiting = 500_000 // calls in the file
)

var (
	errNoStateDir = errors.New("there is no state_dir")
	errManyWait   = errors.New("there are too many")
)

// newWaiting keeps them in a folder; "" nowhere.
func newWaiting(dir string) *waiting {
	w := &waiting{calls: make(map[core.ID]bool)}
	if w.err = errNoStateDir; dir != "" {
		w.path, w.err = filepath.Join(dir, "dialogs-waiting.csv"), nil
	}
	return w
}

// drop removes the file: all is in the database.
func (w *waiting) drop() {
	if w.lines > 0 {
		_ = os.Remove(w.path) // one that stays costs a look at the next start
		w.lines = 0
		clear(w.calls)
	}
}

// keepWaiting writes what waits behind what the file has; with anew some of that is in the database.
func (m *Module) keepWaiting(anew bool) {
	w := m.waiting
	if w.path == "" {
		return
	}
	was := w.err
	w.err = m.copyWaiting(anew || w.lines == 0 || w.lines > 2*len(w.calls)+1000 || w.err != nil)
	if w.err != nil && was == nil {
		m.env.Log.Warn("dialog: not all calls that wait for the database are kept for another life of the program", "error", w.err)
	}
}

func (m *Module) copyWaiting(anew bool) error {
	w := m.waiting
	path, how := w.path, os.O_APPEND
	if anew {
		path, how = w.path+".new", os.O_TRUNC
		w.lines = 0
		clear(w.calls)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|how, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	out := csv.NewWriter(f)
	if anew {
		_ = out.Write(append(m.columns.names(), goneColumn)) // its errors are Error's
	}
	write := func(row []store.Value, gone string) error {
		fields := make([]string, len(m.columns.names()), len(m.columns.names())+1)
		for i, v := range row {
			fields[i] = v.Text()
		}
		w.lines++
		return out.Write(append(fields, gone))
	}
	for id := range w.calls {
		if d := m.dialogs.ByID(id); d == nil || d.State() == core.Ended {
			delete(w.calls, id)
			_ = write([]store.Value{store.Int(id.Int())}, "1")
		}
	}
	err = m.dialogs.Copy(anew, func(s *core.Summary) error {
		if !w.calls[s.ID] && len(w.calls) >= maxWaiting {
			return errManyWait
		}
		w.calls[s.ID] = true
		return write(m.row(s), "0")
	})
	out.Flush()
	if err = errors.Join(err, out.Error()); err == nil && anew {
		err = os.Rename(path, w.path)
	}
	return err
}

// readWaiting has the calls that another life has left run on, once. Those that ended since wait for nothing.
func (m *Module) readWaiting(ended map[core.ID]bool) {
	w := m.waiting
	if w.read || w.path == "" {
		return
	}
	w.read = true
	type last struct {
		*core.Row
		routes [3]string
	}
	calls := make(map[core.ID]last)
	q := store.Select{Table: m.table, Columns: append(m.columns.names(), goneColumn)}
	err := store.File{Path: w.path}.Load(context.Background(), q, func(r *store.Row) error {
		w.lines++
		id := core.IDOfInt(r.Int(0))
		if delete(calls, id); r.Int(r.Len()-1) != 0 || ended[id] {
			return nil
		}
		row := m.rowOf(r)
		if err := r.Err(); err != nil {
			m.env.Log.Warn("dialog: a row is left out", "error", err)
			return nil
		}
		calls[id] = last{row, armedOf(r)}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil { // the file stays, to be looked at, until another takes its place
		w.lines = 0
		m.env.Log.Warn("dialog: not all calls that were kept can be read", "error", err)
	}
	for id, c := range calls {
		if m.dialogs.Restore(c.Row) {
			m.rearm(id, c.routes)
			m.dialogs.ByID(id).Touch()
			w.calls[id] = true
		}
	}
	m.env.Log.Info("dialog: calls that were kept were read", "dialogs", len(w.calls))
}
