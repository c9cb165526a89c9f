package dialog

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// TestReadLater: the dialogs of a database that is away at the start are there as soon as it is back, but for
// those that ended in the life before while it was away.
func TestReadLater(t *testing.T) {
	db, exec := dialogTable(t)
	var log strings.Builder
	dir := t.TempDir()
	life := func() *Module {
		return &Module{db: db, table: "dialog", columns: defaultColumns(), tombstones: newTombstones(dir), waiting: newWaiting(dir), dialogs: core.New(core.Config{Persistent: true}),
			env: &script.Env{Surroundings: script.Surroundings{Log: slog.New(slog.NewTextHandler(&log, nil))}}}
	}
	before := life()
	for _, id := range []string{"one", "two", "three"} {
		d, err := before.dialogs.Create(&core.Init{CallID: id, FromTag: "a", CSeq: 1, Timeout: 1 << 40, Caller: core.Leg{Tag: "a"}}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		d.Heard(200, &core.Said{Tag: []byte("b"), Contact: []byte("sip:b")}, 1000)
	}
	if err := before.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec("ALTER TABLE dialog RENAME TO elsewhere")
	before.dialogs.ByCallID([]byte("three")).End(core.UpstreamBYE, 1010)
	if before.forget(t.Context()) == nil {
		t.Fatal("a row of a table that is not there is gone")
	}
	m := life()
	if m.read(); !m.unread.Load() || !strings.Contains(log.String(), "dialogs were not read") {
		t.Fatalf("the log has %q", log.String())
	}
	exec("ALTER TABLE elsewhere RENAME TO dialog")
	m.readLater(t.Context())
	if m.unread.Load() || m.dialogs.ByCallID([]byte("one")) == nil || m.dialogs.ByCallID([]byte("two")) == nil {
		t.Errorf("they were not read: %s", log.String())
	}
	if m.dialogs.ByCallID([]byte("three")) != nil {
		t.Error("a call that ended while the database was away is back")
	}
	rows, err := db.Select(t.Context(), store.Select{Table: "dialog", Columns: []string{"callid"}})
	if err != nil || rows.Len() != 2 {
		t.Errorf("%v: %d rows, want 2", err, rows.Len())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v: %v is left", err, left)
	}
}
