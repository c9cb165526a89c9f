package location

import (
	"strings"
	"testing"
)

func TestRestore(t *testing.T) {
	table := New(Config{Persistent: true, Notify: func(Change) { t.Error("restoring is no news") }})
	x := &Row{Contact: Contact{ID: 41, Expires: start + 60, CSeq: 3, Q: 500, Methods: AllMethods},
		Texts: Texts{URI: []byte("sip:1"), CallID: []byte("a"), Path: []byte("<sip:p;lr>")}}
	if !table.Restore([]byte("alice"), x, start) || table.Restore([]byte("alice"), x, start) || table.Restore([]byte("alice"), x, start+60) {
		t.Fatal("put twice, or never")
	}
	older := *x
	older.ID, older.Modified, older.Texts.CallID = 42, x.Modified-1, []byte("before the phone began anew")
	if table.Restore([]byte("alice"), &older, start) {
		t.Error("an older registration of the same URI is back")
	}
	if table.Unstored() != 0 {
		t.Error("it is stored again")
	}
	table.cfg.Notify = nil
	_ = table.Save(update(start, "b", 1, "sip:2"), func(c *Contact) {
		if c.URI() == "sip:2" && c.ID <= 41 {
			t.Errorf("the ID %d was given before", c.ID)
		}
	})
}

// TestRestoredFlow: a row has no reg-id, so a phone that comes back over another flow takes the place of what was restored
// of it, once.
func TestRestoredFlow(t *testing.T) {
	table := New(Config{})
	if !table.Restore([]byte("alice"), &Row{Contact: Contact{ID: 1, Expires: start + 600, CSeq: 3, Q: NoQ, Methods: AllMethods},
		Texts: Texts{URI: []byte("sip:a@old"), CallID: []byte("before"), Instance: []byte("<i>")}}, start) {
		t.Fatal("not put")
	}
	for id, want := range []string{"sip:a@one", "sip:a@one sip:a@two"} {
		u := update(start, "now", uint32(id+1), []string{"sip:a@one", "sip:a@two"}[id])
		u.AOR = []byte("alice")
		u.Bindings[0].Instance, u.Bindings[0].RegID = []byte("<i>"), uint32(id+1)
		got := ""
		if err := table.Save(u, func(c *Contact) { got = strings.TrimSpace(got + " " + c.URI()) }); err != nil || got != want {
			t.Errorf("behind flow %d: %s %v, want %s", id+1, got, err, want)
		}
	}
}

// A contact that was gone before its row was read goes, unless the row is newer than that, or the phone has come again.
func TestForget(t *testing.T) {
	restore := func(t *testing.T) *Table {
		table := New(Config{Persistent: true, Notify: func(c Change) {
			t.Errorf("%v of %s is no news", c.Kind, c.Contact.URI())
		}})
		for i, modified := range []int64{start - 20, start - 5} {
			id := uint64(i + 1)
			x := &Row{Contact: Contact{ID: id, Expires: start + 60, CSeq: 3, Q: NoQ, Methods: AllMethods, Modified: modified},
				Texts: Texts{URI: []byte{'s', 'i', 'p', ':', '0' + byte(id)}, CallID: []byte{byte(id)}}}
			if !table.Restore([]byte("alice"), x, start) {
				t.Fatal("not put")
			}
		}
		return table
	}
	table := restore(t)
	table.Forget([]byte("alice"), 2, start-10) // its row is of later
	want(t, table, start, "sip:1", "sip:2")
	table.Forget([]byte("alice"), 1, start-10)
	want(t, table, start, "sip:2")
	table.Forget([]byte("nobody"), 1, start)
	if n := table.Stats(); n.Contacts != 1 || n.Records != 1 {
		t.Errorf("%+v", n)
	}
}

// What is restored is no news for whoever changes something next, and what that brings is nobody's afterwards.
func TestRestoredIsNoNews(t *testing.T) {
	var told []string
	table := New(Config{Notify: func(c Change) {
		if c.Kind == Inserted {
			told = append(told, c.Contact.URI())
		}
	}})
	x := &Row{Contact: Contact{ID: 1, Expires: start + 60, Q: NoQ, Methods: AllMethods}, Texts: Texts{URI: []byte("sip:1"), CallID: []byte("a")}}
	if !table.Restore([]byte("alice"), x, start) {
		t.Fatal("not put")
	}
	if err := table.Save(update(start, "b", 1, "sip:2"), nil); err != nil || len(told) != 1 || told[0] != "sip:2" {
		t.Errorf("%v, %v", told, err)
	}
	for i := range table.shards {
		if n := len(table.shards[i].touched); n != 0 {
			t.Errorf("%d contacts are a REGISTER's that is over", n)
		}
	}
}
