package dialog

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/store"
)

// tombstones are the dialogs that have ended while the database was away: their rows are to go. They are kept in state_dir, a
// number a line, for another life of the program that would take the rows for calls.
type tombstones struct {
	path string // "" there is no state_dir

	mu     sync.Mutex
	others map[core.ID]bool // that another life has left
	kept   int              // how many are in the file
}

// newTombstones keeps them in a folder; "" nowhere.
func newTombstones(dir string) *tombstones {
	t := new(tombstones)
	if dir != "" {
		t.path = filepath.Join(dir, "dialogs-ended")
	}
	return t
}

// keep writes the file anew, with the IDs and what another life has left, unless nothing was added.
func (t *tombstones) keep(ids []core.ID) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[core.ID]bool, len(ids)+len(t.others))
	maps.Copy(all, t.others)
	for _, id := range ids {
		all[id] = true
	}
	if t.path == "" || len(all) <= t.kept {
		return nil
	}
	var b []byte
	for id := range all {
		b = append(strconv.AppendInt(b, id.Int(), 10), '\n')
	}
	err := os.WriteFile(t.path+".new", b, 0o600)
	if err == nil {
		err = os.Rename(t.path+".new", t.path)
	}
	if err == nil {
		t.kept = len(all)
	}
	return err
}

// clear removes the file: the rows are gone, those of another life included.
func (t *tombstones) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept > 0 {
		_ = os.Remove(t.path) // one that stays costs a look at the next start
	}
	t.others, t.kept = nil, 0
}

// read returns what another life has left.
func (t *tombstones) read() (map[core.ID]bool, error) {
	if t.path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	ended := make(map[core.ID]bool)
	for line := range strings.Lines(string(text)) {
		if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
			ended[core.IDOfInt(n)] = true
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.others, t.kept = ended, len(ended)
	return ended, err
}

// pay removes the rows of what another life has left.
func (m *Module) pay(ctx context.Context, ended map[core.ID]bool) error {
	ids := make([]store.Value, 0, batch)
	flush := func() error {
		if len(ids) == 0 {
			return nil
		}
		_, err := m.db.Delete(ctx, m.table, store.Cond{Column: m.columns.id, Any: ids})
		ids = ids[:0]
		return err
	}
	for id := range ended {
		if ids = append(ids, store.Int(id.Int())); len(ids) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
