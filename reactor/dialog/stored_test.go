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
		d.Heard(200, &Leg{Tag: "t", Contact: "sip:b"}, start)
		d.Acked("")
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
		if !again.Restore(r, start) || again.Restore(r, start) || again.Restore(r, start+1000) {
			t.Fatal("not restored, or twice, or though it is over")
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
