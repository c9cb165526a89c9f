package dialog

import (
	"errors"
	"fmt"
	"testing"
)

// TestStored writes, fails, restores.
func TestStored(t *testing.T) {
	table := New(Config{Persistent: true})
	rows := map[ID]Stored{}
	away := errors.New("away")
	fail := false
	flush := func() error {
		return table.Changed(2, func(list []Stored) error {
			if fail {
				return away
			}
			for _, x := range list {
				if _, ok := rows[x.ID]; ok != x.Exists {
					t.Errorf("%v exists: %v", x.ID, ok)
				}
				if x.Delete {
					delete(rows, x.ID)
				} else {
					rows[x.ID] = x
				}
			}
			return nil
		})
	}
	p := NewProfile("p", true)
	var all []*Dialog
	for i := range 5 {
		d := invite(t, table, fmt.Sprint(i))
		all = append(all, d)
		d.Join(p, "v")
		d.Set(Value{Name: "k", Text: "v"})
	}
	if err := flush(); err != nil || len(rows) != 0 {
		t.Fatalf("%v: %d rows of calls that nobody answered", err, len(rows))
	}
	for _, d := range all[:4] {
		d.Heard(200, &Said{Tag: []byte("t"), Contact: []byte("sip:b")}, start)
		d.Acked([]byte(""))
	}
	fail = true
	if err := flush(); !errors.Is(err, away) {
		t.Fatal(err)
	}
	fail = false
	if err := flush(); err != nil || len(rows) != 4 {
		t.Fatalf("%v: %d rows, want 4", err, len(rows))
	}
	all[0].End(DownstreamBYE, start)
	all[4].End(Failed, start)
	table.Expire(start+50, func(*Dialog) {})
	if err := flush(); err != nil || len(rows) != 3 || table.Waiting() != 0 {
		t.Fatalf("%v: %d rows, want 3", err, len(rows))
	}
	again := New(Config{Persistent: true})
	q := NewProfile("p", true)
	for _, x := range rows {
		r := &Row{ID: x.ID, CallID: x.CallID, FromTag: x.FromTag, State: x.State, Started: x.Started, Expires: x.Expires,
			Caller: x.Caller, Callee: x.Callees[x.Callee], Values: x.Values, Profiles: []Membership{{q, "v"}}}
		if !again.Restore(r) || again.Restore(r) {
			t.Fatal("not restored, or twice")
		}
	}
	d := again.ByID(all[1].ID)
	if d == nil || d.State() != Confirmed || q.SizeOf("v") != 3 || again.Waiting() != 0 {
		t.Fatalf("%+v, %d in the profile", d, q.SizeOf("v"))
	}
	if v, _ := d.Get("k"); v.Text != "v" {
		t.Error("its values are gone")
	}
	if x, dir := again.ByTags([]byte("1"), []byte("t"), []byte("f")); x != d || dir != Upstream {
		t.Error("not found by its tags")
	}
}

// TestOthersIDs: dialogs of another program's table share numbers, as it numbered them by slot; each is restored.
func TestOthersIDs(t *testing.T) {
	table := New(Config{})
	for i := range int64(100) {
		id := IDOfInt(17<<32 | i*1237)
		if id.Int() != 17<<32|i*1237 {
			t.Fatalf("%v is not what it was", id)
		}
		if !table.Restore(&Row{ID: id, CallID: fmt.Sprint(i), FromTag: "f", State: Confirmed, Expires: start + 10}) {
			t.Fatalf("%v is not restored", id)
		}
	}
	if s := table.Stats(); s.Active != 100 || table.ByID(IDOfInt(17<<32|1237)).CallID != "1" || table.ByID(ID{34, 5}) != nil {
		t.Errorf("%+v", s)
	}
}

// TestOverMeanwhile: a call whose time was over while nothing ran ends when its row is read, and the row goes.
func TestOverMeanwhile(t *testing.T) {
	var changes []Change
	table := New(Config{Persistent: true, Notify: func(c Change) { changes = append(changes, c) }})
	if !table.Restore(&Row{ID: ID{1, 2}, CallID: "c", FromTag: "f", State: Confirmed, Started: start - 100, Expires: start - 50}) {
		t.Fatal("it is not restored")
	}
	table.Expire(start, func(*Dialog) {})
	if len(changes) != 1 || changes[0].New != Ended || changes[0].Dialog.Reason() != Timeout || table.Stats().Expired != 1 {
		t.Fatalf("%+v", changes)
	}
	var rows []Stored
	if err := table.Changed(10, func(list []Stored) error { rows = append(rows, list...); return nil }); err != nil || len(rows) != 1 || !rows[0].Delete {
		t.Errorf("%v, %+v", err, rows)
	}
}

// TestGone: rows of calls that have ended can go before others are stored, once.
func TestGone(t *testing.T) {
	table := New(Config{Persistent: true})
	var all []*Dialog
	for i := range 5 {
		d := invite(t, table, fmt.Sprint(i))
		d.Heard(200, &Said{Tag: []byte("t"), Contact: []byte("sip:b")}, start)
		all = append(all, d)
	}
	stored := 0
	store := func(list []Stored) error { stored += len(list); return nil }
	all[4].End(DownstreamBYE, start) // it never had a row
	if err := table.Changed(10, store); err != nil || stored != 4 {
		t.Fatalf("%v: %d", err, stored)
	}
	for _, d := range all[:3] {
		d.End(UpstreamBYE, start)
	}
	away, fail := errors.New("away"), true
	gone := 0
	forget := func(list []*Dialog) error {
		if fail {
			return away
		}
		gone += len(list)
		return nil
	}
	if err := table.Gone(2, forget); !errors.Is(err, away) {
		t.Fatal(err)
	}
	fail = false
	if err := table.Gone(2, forget); err != nil || gone != 3 {
		t.Errorf("%v: %d rows go, want 3", err, gone)
	}
	stored = 0
	if err := table.Changed(10, store); err != nil || stored != 0 || table.Waiting() != 0 {
		t.Errorf("%v: %d are stored, %d wait", err, stored, table.Waiting())
	}
	if err := table.Gone(2, forget); err != nil || gone != 3 {
		t.Errorf("%v: %d rows go", err, gone)
	}
}
