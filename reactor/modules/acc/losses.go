package acc

import (
	"errors"
	"time"

	"sipreactor/reactor/store"
)

// lose counts records that nobody will read.
func (w *writer) lose(n int, why string, err error) {
	lost := w.lost.Add(uint64(n))
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.said) >= time.Second {
		w.said = now
		w.log.Error("acc: a record is lost: "+why, "error", err, "lost", lost)
	}
}

// wait tells that records stay in memory, where the end of the program would lose them.
func (w *writer) wait(n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.warned) >= 10*time.Second {
		w.warned = now
		w.log.Warn("acc: records wait in memory: neither the database nor the spool takes them", "error", err, "records", n+len(w.queue))
	}
}

// refuse keeps a record that the database has something against. Where that cannot be done the record is in the log, whole.
func (w *writer) refuse(c *store.Change, why error) {
	err := errNoSpool
	if w.spool != nil {
		var path string
		if path, err = w.spool.refuse(c, why); err == nil {
			w.refused.Add(1)
			w.log.Error("acc: the database refuses a record, which is kept in a file", "file", path, "error", why)
			return
		}
	}
	w.lost.Add(1)
	w.log.Error("acc: a record is lost: the database refuses it", "error", why, "file", err, "table", c.Table, "record", shown(c))
}

var errNoSpool = errors.New("there is no state_dir")

// maxShown bounds a record in the log.
const maxShown = 4096

// shown writes a record for the log: name=value;name=value.
func shown(c *store.Change) string {
	var b []byte
	for i, v := range c.Rows[0] {
		if i > 0 {
			b = append(b, ';')
		}
		if b = append(append(b, c.Columns[i]...), '='); !v.IsNull() {
			b = append(b, v.Text()...)
		}
	}
	return string(b[:min(len(b), maxShown)])
}
