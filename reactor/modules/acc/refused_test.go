package acc

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestRefused: a record that the database has something against is put aside with what that said, and those around it are
// written. Without a place for it the log has it.
func TestRefused(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "version", "acc"); err != nil {
		t.Fatal(err)
	}
	bad := func() store.Change {
		c := numbered(2)
		c.Columns = append(c.Columns[:4:4], "no_such_column")
		return c
	}
	s := &spool{dir: filepath.Join(t.TempDir(), "spool"), room: maxSpool}
	w, end := running(t, url, s)
	for _, c := range []store.Change{numbered(1), bad(), numbered(3)} {
		w.put(c)
	}
	end()
	if got := rowsOf(t, url); got != "000001 000003" {
		t.Errorf("the table has %q", got)
	}
	if w.refused.Load() != 1 || w.lost.Load() != 0 {
		t.Errorf("%d are refused, %d lost", w.refused.Load(), w.lost.Load())
	}
	text, err := os.ReadFile(filepath.Join(s.dir, refusedName))
	var l line
	if err != nil || json.Unmarshal(text, &l) != nil || l.Table != "acc" || string(l.Values[1]) != "000002" || !strings.Contains(l.Error, "no_such_column") {
		t.Errorf("put aside: %s %v", text, err)
	}
	if name, _, _ := again(s).oldest(); name != "" {
		t.Errorf("%s is read as a record", name)
	}

	var log bytes.Buffer
	w, end = runningWith(t, url, nil, slog.New(slog.NewTextHandler(&log, nil)))
	w.put(bad())
	end()
	if w.lost.Load() != 1 || !strings.Contains(log.String(), "callid=000002") {
		t.Errorf("%d lost: %s", w.lost.Load(), log.String())
	}

	if err := os.WriteFile(filepath.Join(s.dir, refusedName), make([]byte, maxRefused), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.refuse(&store.Change{Rows: [][]store.Value{{}}}, errFull); err == nil {
		t.Error("a file that is full takes more")
	}
}

// rowsOf lists the Call-IDs in acc.
func rowsOf(t *testing.T, url string) string {
	t.Helper()
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := db.Select(t.Context(), store.Select{Table: "acc", Columns: []string{"callid"}, Order: "callid"})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range r.Len() {
		all = append(all, r.Row(i)[0].Text())
	}
	return strings.Join(all, " ")
}
