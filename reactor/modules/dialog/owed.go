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

// owed are the dialogs that have ended while the database was away: their rows are to go. They are kept in state_dir, a
// number a line, for another life of the program that would take the rows for calls.
type owed struct {
	path string // "" there is no state_dir

	mu     sync.Mutex
	others map[core.ID]bool // that another life has left
	kept   int              // how many are in the file
}

// newOwed keeps them in a folder; "" nowhere.
func newOwed(dir string) *owed {
	o := new(owed)
	if dir != "" {
		o.path = filepath.Join(dir, "dialogs-ended")
	}
	return o
}

// keep writes the file anew, with the IDs and what another life has left, unless nothing was added.
func (o *owed) keep(ids []core.ID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make(map[core.ID]bool, len(ids)+len(o.others))
	maps.Copy(all, o.others)
	for _, id := range ids {
		all[id] = true
	}
	if o.path == "" || len(all) <= o.kept {
		return nil
	}
	var b []byte
	for id := range all {
		b = append(strconv.AppendInt(b, id.Int(), 10), '\n')
	}
	err := os.WriteFile(o.path+".new", b, 0o600)
	if err == nil {
		err = os.Rename(o.path+".new", o.path)
	}
	if err == nil {
		o.kept = len(all)
	}
	return err
}

// paid removes the file: the rows are gone, those of another life included.
func (o *owed) paid() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept > 0 {
		_ = os.Remove(o.path) // one that stays costs a look at the next start
	}
	o.others, o.kept = nil, 0
}

// read returns what another life has left.
func (o *owed) read() (map[core.ID]bool, error) {
	if o.path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	ended := make(map[core.ID]bool)
	for line := range strings.Lines(string(text)) {
		if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
			ended[core.IDOfInt(n)] = true
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.others, o.kept = ended, len(ended)
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
