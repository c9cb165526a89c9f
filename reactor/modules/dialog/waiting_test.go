package dialog

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

// TestWaiting: calls that are set up, change and end while the database is away are there in another life of the program as
// they were, and in the table once that is back; then nothing is left in state_dir.
func TestWaiting(t *testing.T) {
	db, exec := dialogTable(t)
	var log strings.Builder
	dir := t.TempDir()
	life := func() *Module {
		return &Module{db: db, table: "dialog", columns: defaultColumns(), tombstones: newTombstones(dir), waiting: newWaiting(dir), dialogs: core.New(core.Config{Persistent: true}),
			pings: new(pinger), profiles: map[string]*core.Profile{"p": core.NewProfile("p", false)},
			env: &script.Env{Surroundings: script.Surroundings{Log: slog.New(slog.NewTextHandler(&log, nil))}}}
	}
	answered := func(m *Module, id string) *core.Dialog {
		t.Helper()
		d, err := m.dialogs.Create(&core.Init{CallID: id, FromTag: "a", CSeq: 1, Timeout: 1 << 40, Caller: core.Leg{Tag: "a", Contact: "sip:a@1"}}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		d.Heard(200, &core.Said{Tag: []byte("b"), Contact: []byte("sip:b@1")}, 1000)
		return d
	}
	away := func(m *Module) {
		t.Helper()
		if err := m.write(t.Context()); err == nil {
			t.Fatal("a table that is not there has taken calls")
		}
	}

	before := life()
	before.read()
	stored := answered(before, "stored")
	over := answered(before, "stored, over")
	if err := before.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec("ALTER TABLE dialog RENAME TO elsewhere")
	stored.Set(core.Value{Name: "since", Text: "a \"text\",\nof two lines"})
	over.End(core.UpstreamBYE, 1010)
	fresh := answered(before, "new")
	ended := answered(before, "new, over")
	away(before)
	fresh.Acked([]byte("b"))
	fresh.Join(before.profiles["p"], "")
	ended.End(core.UpstreamBYE, 1010)
	if before.forget(t.Context()) == nil {
		t.Fatal("a row of a table that is not there is gone")
	}
	away(before)
	if n := before.dialogs.Waiting(); n != 3 { // the one whose row is to go, too
		t.Errorf("%d wait, want 3", n)
	}

	check := func(m *Module) {
		t.Helper()
		for _, id := range []string{"stored, over", "new, over"} {
			if m.dialogs.ByCallID([]byte(id)) != nil {
				t.Errorf("%q is back", id)
			}
		}
		one, two := m.dialogs.ByCallID([]byte("stored")), m.dialogs.ByCallID([]byte("new"))
		if one == nil || two == nil {
			t.Fatalf("%v %v are not there:\n%s", one, two, &log)
		}
		if v, _ := one.Get("since"); v.Text != "a \"text\",\nof two lines" {
			t.Errorf("its value is %q", v.Text)
		}
		if two.State() != core.Confirmed || m.profiles["p"].Size() != 1 || two.ID != fresh.ID {
			t.Errorf("state %d, %d in the profile", two.State(), m.profiles["p"].Size())
		}
	}
	second := life() // while the table is away still
	second.read()
	check(second)
	away(second)
	third := life()
	third.read()
	check(third)
	exec("ALTER TABLE elsewhere RENAME TO dialog")
	third.readLater(t.Context())
	if err := third.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(third)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v: %v is left", err, left)
	}
	last := life()
	last.read()
	check(last)
}

// TestWaitingBounds: what ends while the database is away takes no memory, and the file is written anew before it is twice as
// long as it need be.
func TestWaitingBounds(t *testing.T) {
	db, exec := dialogTable(t)
	exec("DROP TABLE dialog")
	dir := t.TempDir()
	m := &Module{db: db, table: "dialog", columns: defaultColumns(), tombstones: newTombstones(dir), waiting: newWaiting(dir), dialogs: core.New(core.Config{Persistent: true}),
		env: &script.Env{Surroundings: script.Surroundings{Log: slog.New(slog.DiscardHandler)}}}
	for round := range 20 {
		for i := range 300 {
			d, err := m.dialogs.Create(&core.Init{CallID: fmt.Sprint(round, i), FromTag: "a", CSeq: 1, Timeout: 100, Caller: core.Leg{Tag: "a"}}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			d.Heard(200, &core.Said{Tag: []byte("b")}, 1000)
		}
		if m.write(t.Context()) == nil {
			t.Fatal("stored nowhere")
		}
		m.dialogs.Each(func(d *core.Dialog) bool {
			if d.State() != core.Ended && d.CallID != "0 0" {
				d.End(core.UpstreamBYE, 1001)
			}
			return true
		})
		if m.write(t.Context()) == nil {
			t.Fatal("stored nowhere")
		}
		if n := m.dialogs.Waiting(); n != 1 {
			t.Fatalf("round %d: %d wait, and one runs", round, n)
		}
		if m.waiting.lines > 2*300+1000+600 {
			t.Fatalf("%d lines", m.waiting.lines)
		}
	}
	text, err := os.ReadFile(m.waiting.path)
	if err != nil || strings.Count(string(text), "\n") != m.waiting.lines+1 {
		t.Errorf("%v: %d lines, counted %d", err, strings.Count(string(text), "\n"), m.waiting.lines)
	}
}
