package location

import (
	"errors"
	"testing"
)

// TestIDs finds contacts by their IDs, which another life of the program does not have.
func TestIDs(t *testing.T) {
	table := New(Config{})
	if err := table.Save(update(start, "a", 1, "sip:1"), nil); err != nil {
		t.Fatal(err)
	}
	table.IndexIDs()
	table.IndexIDs()
	own := table.NewID()
	if own < 1<<20 {
		t.Errorf("the ID %d is none that was drawn", own)
	}
	u := update(start, "b", 1, "sip:2")
	u.Bindings[0].ID = own
	if err := table.Save(u, nil); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uint64]string{1: "sip:1", own: "sip:2", own + 1: ""} {
		got := ""
		if found := table.ByID(id, start, func(c *Contact) { got = c.URI() }); got != want || found != (want != "") {
			t.Errorf("%d: %q %v, want %q", id, got, found, want)
		}
	}
	table.Expire(start + 1<<20)
	if table.ByID(own, start, func(*Contact) {}) {
		t.Error("a contact that is over is found")
	}
}

// TestCheck tells what a REGISTER would do and changes nothing.
func TestCheck(t *testing.T) {
	table := New(Config{})
	if err := table.Save(update(start, "a", 5, "sip:1"), nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	visit := func(_ int, c *Contact) {
		if c == nil {
			got = append(got, "")
			return
		}
		got = append(got, c.URI())
	}
	if err := table.Check(update(start, "a", 6, "sip:2", "sip:1"), visit); err != nil || len(got) != 2 || got[0] != "" || got[1] != "sip:1" {
		t.Errorf("%q %v", got, err)
	}
	if err := table.Check(update(start, "a", 4, "sip:1"), visit); !errors.Is(err, ErrOutOfOrder) {
		t.Error(err)
	}
	all := update(start, "a", 4)
	if all.All, all.CallID = true, []byte("a"); !errors.Is(table.Check(all, visit), ErrOutOfOrder) {
		t.Error("all may go by a lower CSeq")
	}
	if n := table.Stats().Contacts; n != 1 {
		t.Errorf("%d contacts", n)
	}
}

// TestPinged counts pings without an answer, one behind the other, for as long as the contact is there.
func TestPinged(t *testing.T) {
	table := New(Config{})
	if err := table.Save(update(start, "a", 1, "sip:1", "sip:2"), nil); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]uint64)
	table.Lookup([]byte("alice"), start, func(c *Contact) bool { ids[c.URI()] = c.ID; return true })
	for i, s := range []struct {
		of       string
		answered bool
		want     int
	}{
		{"sip:1", false, 1}, {"sip:1", false, 2}, {"sip:2", false, 1}, {"sip:1", true, 0}, {"sip:1", false, 1}, {"sip:none", false, 0},
	} {
		if got := table.SetPinged("alice", ids[s.of], s.answered); got != s.want {
			t.Errorf("step %d: %d, want %d", i, got, s.want)
		}
	}
	u := update(start+1, "a", 2, "sip:1|x")
	if err := table.Save(u, nil); err != nil {
		t.Fatal(err)
	}
	if got := table.SetPinged("alice", ids["sip:1"], false); got != 0 {
		t.Errorf("%d pings of a contact that is gone", got)
	}
	for range 70000 {
		table.SetPinged("alice", ids["sip:2"], false)
	}
	if got := table.SetPinged("alice", ids["sip:2"], false); got != 1<<16-1 {
		t.Errorf("%d pings", got)
	}
}
