package dialog

import (
	"log/slog"
	"strings"
	"testing"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// TestReadLater: the dialogs of a database that is away at the start are there as soon as it is back.
func TestReadLater(t *testing.T) {
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "dialog"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(text string) {
		t.Helper()
		if _, err := db.Exec(t.Context(), new(store.Statement).SQL(text)); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	life := func() *Module {
		return &Module{db: db, table: "dialog", columns: defaultColumns(), dialogs: core.New(core.Config{Persistent: true}),
			env: &script.Env{Surroundings: script.Surroundings{Log: slog.New(slog.NewTextHandler(&log, nil))}}}
	}
	before := life()
	for _, id := range []string{"one", "two"} {
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
	m := life()
	if m.read(); !m.unread.Load() || !strings.Contains(log.String(), "dialogs were not read") {
		t.Fatalf("the log has %q", log.String())
	}
	exec("ALTER TABLE elsewhere RENAME TO dialog")
	m.readLater(t.Context())
	if m.unread.Load() || m.dialogs.ByCallID([]byte("one")) == nil || m.dialogs.ByCallID([]byte("two")) == nil {
		t.Errorf("they were not read: %s", log.String())
	}
}
