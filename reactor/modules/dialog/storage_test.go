package dialog

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// dialogTable makes a database with the table of dialogs; exec runs a statement on it.
func dialogTable(t *testing.T) (db *store.DB, exec func(text string)) {
	t.Helper()
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "dialog"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, func(text string) {
		t.Helper()
		if _, err := db.Exec(t.Context(), new(store.Statement).SQL(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefusedRow: a call that the database refuses is told of, and those of its batch are stored. When all are refused they
// wait.
func TestRefusedRow(t *testing.T) {
	db, exec := dialogTable(t)
	exec("CREATE TRIGGER short BEFORE INSERT ON dialog WHEN length(NEW.from_tag) > 64 BEGIN SELECT RAISE(ABORT, 'it is too long'); END")
	var log strings.Builder
	m := &Module{db: db, table: "dialog", columns: defaultColumns(), tombstones: newTombstones(""), waiting: newWaiting(""), dialogs: core.New(core.Config{Persistent: true}),
		env: &script.Env{Surroundings: script.Surroundings{Log: slog.New(slog.NewTextHandler(&log, nil))}}}
	answered := func(callID, tag string) {
		t.Helper()
		d, err := m.dialogs.Create(&core.Init{CallID: callID, FromTag: tag, CSeq: 1, Timeout: 100, Caller: core.Leg{Tag: tag}}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		d.Heard(200, &core.Said{Tag: []byte("b"), Contact: []byte("sip:b")}, 1000)
	}
	rows := func() int {
		t.Helper()
		r, err := db.Select(t.Context(), store.Select{Table: "dialog", Columns: []string{"callid"}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Len()
	}
	long := strings.Repeat("x", 65)
	answered("bad", long)
	for i := range 5 {
		answered(fmt.Sprint(i), "a")
	}
	if err := m.write(t.Context()); err != nil || rows() != 5 || m.dialogs.Waiting() != 0 {
		t.Errorf("%v: %d rows, want 5; %d wait", err, rows(), m.dialogs.Waiting())
	}
	if !strings.Contains(log.String(), "it is too long") {
		t.Errorf("nobody is told: %s", &log)
	}
	answered("bad 2", long)
	answered("bad 3", long)
	if err := m.write(t.Context()); err != nil || rows() != 5 || m.dialogs.Waiting() != 0 {
		t.Errorf("%v: %d rows, %d wait, want none", err, rows(), m.dialogs.Waiting())
	}
	exec("DROP TABLE dialog")
	answered("5", "a")
	answered("6", "a")
	if err := m.write(t.Context()); err == nil || m.dialogs.Waiting() != 2 {
		t.Errorf("without a table: %v: %d wait, want 2", err, m.dialogs.Waiting())
	}
}

// TestParty: the URI of a party is stored in as much room as its column has, and is a URI still.
func TestParty(t *testing.T) {
	long := strings.Repeat("x", 240)
	for uri, want := range map[string]string{
		"":                        "",
		"sip:bob@h;a=" + long:     "sip:bob@h;a=" + long,
		"sip:bob@h;a=yyyy" + long: "sip:bob@h",
		"sips:bob@h:5061;transport=tcp;a=" + long: "sips:bob@h:5061",
		"sip:bob@[::1]:5061?a=" + long:            "sip:bob@[::1]:5061",
		"sip:bobbobbobbob" + long + "@h:5070;a=b": "sip:h:5070",
	} {
		if got := party(uri); got != want {
			t.Errorf("%s is stored as %s, want %s", uri, got, want)
		}
	}
	if got := party("tel:+49;a=" + long + long); got != "tel:+49" {
		t.Errorf("stored as %s", got)
	}
	if got := party("tel:" + long + long); len(got) > partyRoom {
		t.Errorf("%d characters are stored", len(got))
	}
	m := &Module{columns: defaultColumns()}
	row := m.row(&core.Summary{Dialog: &core.Dialog{FromURI: "sip:a@h;b=" + long + long, ToURI: "sip:b@h;b=" + long + long}, Callee: -1,
		Parties: core.Parties{From: "sip:c@h;b=" + long + long, To: "sip:d@h;b=" + long + long}})
	for i, name := range m.columns.names() {
		if n := len(row[i].Text()); strings.HasSuffix(name, "_uri") && n != len("sip:a@h") {
			t.Errorf("%s has %d characters", name, n)
		}
	}
}
