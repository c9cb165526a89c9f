package location

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// contacts lists what an address has, with flows.
func contacts(t *Table, aor string) string {
	var list []string
	t.Lookup([]byte(aor), start, func(c *Contact) bool {
		list = append(list, fmt.Sprintf("%s %d", c.URI(), c.Flow))
		return true
	})
	return strings.Join(list, "|")
}

// TestReplace: what others have stored takes the place of what is in memory, but for flows, and for what has still to be
// stored.
func TestReplace(t *testing.T) {
	table := New(Config{Persistent: true, Shared: true})
	own := update(start, "a", 1, "sip:1", "sip:2")
	own.AOR, own.Flow = []byte("alice"), 7
	if err := table.Save(own, nil); err != nil {
		t.Fatal(err)
	}
	var rows []Row
	if err := table.Changed(10, func(list []Stored) error {
		for _, x := range list {
			rows = append(rows, Row{Contact: x.Contact, Texts: Texts{URI: []byte(x.URI()), CallID: []byte(x.CallID())}})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := table.SetKey([]byte("alice"), "k", "v"); err != nil {
		t.Fatal(err)
	}
	other := Row{Contact: Contact{ID: 99, Expires: start + 60, Q: NoQ}, Texts: Texts{URI: []byte("sip:3"), CallID: []byte("b")}}
	again := rows[1] // refreshed by way of another server
	again.CSeq, again.Expires = 5, start+900
	over := Row{Contact: Contact{ID: 98, Expires: start}, Texts: Texts{URI: []byte("sip:over"), CallID: []byte("c")}}
	for _, s := range []struct {
		what string
		rows []Row
		want string
	}{
		{"as it was", rows, "sip:1 7|sip:2 7"},
		{"one went elsewhere, one came", []Row{rows[0], other}, "sip:1 7|sip:3 0"},
		{"one was refreshed elsewhere, one is over", []Row{rows[0], again, over}, "sip:1 7|sip:2 0"},
	} {
		table.Replace([]byte("alice"), append([]Row(nil), s.rows...), start)
		if got := contacts(table, "alice"); got != s.want {
			t.Errorf("%s: %s, want %s", s.what, got, s.want)
		}
		if n := table.Unstored(); n != 0 {
			t.Errorf("%s: %d would be stored", s.what, n)
		}
	}
	if got := table.Key([]byte("alice"), "k"); got != "v" {
		t.Errorf("the key is %q", got)
	}
	table.Replace([]byte("alice"), []Row{other}, start) // another contact altogether
	if got := table.Key([]byte("alice"), "k"); got != "v" {
		t.Errorf("behind another contact the key is %q", got)
	}
	fresh := update(start, "d", 1, "sip:new")
	fresh.AOR = []byte("alice")
	if err := table.Save(fresh, nil); err != nil {
		t.Fatal(err)
	}
	table.Replace([]byte("alice"), nil, start)
	if got := contacts(table, "alice"); got != "sip:new 0" {
		t.Errorf("what has still to be stored: %s", got)
	}
	if err := table.Changed(10, func([]Stored) error { return nil }); err != nil {
		t.Fatal(err)
	}
	table.Expire(start + 100000)
	if n := table.Unstored(); n != 0 || table.Stats().Contacts != 0 {
		t.Errorf("%d rows of what is over would be deleted, and may be refreshed by now", n)
	}
}

// TestKeys keeps texts with an address until its last contact goes.
func TestKeys(t *testing.T) {
	table := New(Config{})
	aor := []byte("alice")
	if err := table.SetKey(aor, "k", "v"); !errors.Is(err, ErrNoRecord) {
		t.Fatalf("without contacts: %v", err)
	}
	u := update(start, "a", 1, "sip:1")
	u.AOR = aor
	if err := table.Save(u, nil); err != nil {
		t.Fatal(err)
	}
	for i := range maxKeys {
		if err := table.SetKey(aor, fmt.Sprint(i), "v"); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{"more": "v", "0": strings.Repeat("x", maxKey)} {
		if err := table.SetKey(aor, name, value); !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := table.SetKey(aor, "0", ""); err != nil || table.Key(aor, "0") != "" || len(table.Keys(aor)) != maxKeys-1 {
		t.Errorf("removed: %v, %d are left", err, len(table.Keys(aor)))
	}
	table.Remove(aor)
	if err := table.Save(u, nil); err != nil || len(table.Keys(aor)) != 0 {
		t.Errorf("%v, %d keys have outlived the contacts", err, len(table.Keys(aor)))
	}
}
