package location

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor"
)

const start = 1_700_000_000

// update is a REGISTER of alice with the given contacts: "uri", "uri;q=0.5" or "uri;x" to remove it.
func update(now int64, callID string, cseq uint32, contacts ...string) *Update {
	u := &Update{AOR: []byte("alice"), CSeq: cseq, Now: now, CallID: []byte(callID)}
	for _, c := range contacts {
		b := Binding{Texts: Texts{CallID: u.CallID}, Expires: now + 60, Q: NoQ, Methods: AllMethods}
		uri, rest, _ := strings.Cut(c, "|")
		b.URI = []byte(uri)
		switch {
		case rest == "x":
			b.Expires = now
		case rest != "":
			var q int16
			if _, err := fmt.Sscan(rest, &q); err != nil {
				panic(err)
			}
			b.Q = q
		}
		u.Bindings = append(u.Bindings, b)
	}
	return u
}

func uris(t *Table, now int64) (list []string) {
	t.Lookup([]byte("alice"), now, func(c *Contact) bool {
		list = append(list, c.URI())
		return true
	})
	return list
}

func want(t *testing.T, table *Table, now int64, wanted ...string) {
	t.Helper()
	if got := uris(table, now); !slices.Equal(got, wanted) {
		t.Fatalf("contacts %q, want %q", got, wanted)
	}
}

func TestOrder(t *testing.T) {
	table := New(Config{})
	save := func(u *Update) {
		t.Helper()
		if err := table.Save(u, nil); err != nil {
			t.Fatal(err)
		}
	}
	save(update(start, "a", 1, "sip:none1", "sip:low|100", "sip:high|900"))
	save(update(start+1, "b", 1, "sip:none2", "sip:high2|900"))
	want(t, table, start+2, "sip:high", "sip:high2", "sip:low", "sip:none1", "sip:none2")
	save(update(start+2, "a", 2, "sip:low|1000"))
	want(t, table, start+2, "sip:low", "sip:high", "sip:high2", "sip:none1", "sip:none2")

	newest := New(Config{NewestFirst: true})
	for i, c := range []string{"sip:1", "sip:2", "sip:3", "sip:1"} {
		if err := newest.Save(update(start+int64(i), "a", uint32(i+1), c), nil); err != nil {
			t.Fatal(err)
		}
	}
	want(t, newest, start+4, "sip:1", "sip:3", "sip:2")
}

func TestCSeq(t *testing.T) {
	for _, c := range []struct {
		name    string
		u       *Update
		err     error
		expires int64
	}{
		{"higher", update(start+10, "a", 6, "sip:1"), nil, start + 70},
		{"equal is a retransmission", update(start+10, "a", 5, "sip:1"), nil, start + 60},
		{"lower", update(start+10, "a", 4, "sip:1"), ErrOutOfOrder, start + 60},
		{"lower with another one that is new", update(start+10, "a", 4, "sip:2", "sip:1"), ErrOutOfOrder, start + 60},
		{"equal within its time", repeated(start+20, 20), nil, start + 60},
		{"equal behind it", repeated(start+21, 20), ErrOutOfOrder, start + 60},
		{"equal where none is a retransmission", repeated(start, -1), ErrOutOfOrder, start + 60},
		{"lower of another Call-ID", update(start+10, "b", 1, "sip:1"), nil, start + 70},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := New(Config{})
			if err := table.Save(update(start, "a", 5, "sip:1"), nil); err != nil {
				t.Fatal(err)
			}
			if err := table.Save(c.u, nil); !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			want(t, table, start+20, "sip:1")
			table.Lookup([]byte("alice"), start, func(x *Contact) bool {
				if x.Expires != c.expires {
					t.Errorf("expires %d, want %d", x.Expires, c.expires)
				}
				return true
			})
		})
	}
	t.Run("the same contact twice", func(t *testing.T) {
		for _, cseq := range []uint32{6, 7} { // new, and known
			table := New(Config{})
			if cseq == 7 {
				_ = table.Save(update(start, "a", 5, "sip:1"), nil)
			}
			u := update(start, "a", cseq, "sip:1", "sip:2", "sip:1", "sip:2|x")
			u.Bindings[0].Expires = start + 30
			var list []string
			if err := table.Save(u, func(c *Contact) { list = append(list, fmt.Sprint(c.URI(), " ", c.Expires-start)) }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(list, []string{"sip:1 60"}) {
				t.Errorf("CSeq %d: %q, want what is said last", cseq, list)
			}
		}
	})
	t.Run("equal counts by parameter", func(t *testing.T) {
		table := New(Config{})
		_ = table.Save(update(start, "a", 5, "sip:1"), nil)
		u := update(start+10, "a", 5, "sip:1|x")
		u.Repeats = true
		if err := table.Save(u, nil); err != nil {
			t.Fatal(err)
		}
		want(t, table, start+10)
	})
}

// repeated is a REGISTER with the CSeq of the one before.
func repeated(now, within int64) *Update {
	u := update(now, "a", 5, "sip:1")
	u.RepeatWithin = within
	return u
}

func TestStar(t *testing.T) {
	table := New(Config{})
	_ = table.Save(update(start, "a", 5, "sip:1"), nil)
	_ = table.Save(update(start, "b", 9, "sip:2"), nil)
	u := update(start, "a", 4)
	u.All = true
	if err := table.Save(u, nil); !errors.Is(err, ErrOutOfOrder) {
		t.Fatalf("a lower CSeq: %v", err)
	}
	want(t, table, start, "sip:1", "sip:2")
	u.CSeq = 6
	if err := table.Save(u, nil); err != nil {
		t.Fatal(err)
	}
	want(t, table, start)
	if s := table.Stats(); s.Records != 0 || s.Contacts != 0 {
		t.Fatalf("left: %+v", s)
	}
}

func TestMatching(t *testing.T) {
	for _, c := range []struct {
		name   string
		how    Matching
		param  string
		second func(u *Update)
		uri    string
		left   int
	}{
		{"the URI", ByURI, "", nil, "sip:a@h;x=1", 1},
		{"its case counts", ByURI, "", nil, "sip:A@h;x=1", 2},
		{"and the Call-ID", ByURIAndCallID, "", nil, "sip:a@h;x=1", 2},
		{"a parameter", ByParam, "x", nil, "sip:b@other:99;x=1", 1},
		{"another one's value", ByParam, "x", nil, "sip:a@h;x=2", 2},
		{"RFC 3261 19.1.4", ByRFC, "", nil, "sip:a@H;X=1", 1},
		{"instance and reg-id", ByURI, "", func(u *Update) { u.Bindings[0].RegID = 1 }, "sip:new@h", 1},
		{"another reg-id", ByURI, "", func(u *Update) { u.Bindings[0].RegID = 2 }, "sip:a@h;x=1", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := New(Config{})
			first := update(start, "a", 1, "sip:a@h;x=1")
			first.Bindings[0].Instance, first.Bindings[0].RegID = []byte("<urn:1>"), 1
			_ = table.Save(first, nil)
			u := update(start, "b", 1, c.uri)
			u.Matching, u.Param, u.Bindings[0].Instance = c.how, c.param, []byte("<urn:1>")
			if c.second != nil {
				c.second(u)
			}
			if err := table.Save(u, nil); err != nil {
				t.Fatal(err)
			}
			if got := uris(table, start); len(got) != c.left {
				t.Errorf("contacts %q, want %d", got, c.left)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	var told []string
	table := New(Config{Notify: func(c Change) {
		told = append(told, fmt.Sprint(c.Kind, c.AOR, c.Contact.Expires, c.Expired))
	}})
	table.Expire(start)
	_ = table.Save(update(start, "a", 1, "sip:1"), nil)
	for _, late := range []int64{59, 60} {
		if n := len(uris(table, start+late)); n != int(60-late) {
			t.Errorf("after %d s: %d contacts", late, n)
		}
	}
	table.Expire(start + 59)
	if s := table.Stats(); s.Contacts != 1 {
		t.Fatalf("early: %+v", s)
	}
	told = nil
	table.Expire(start + 5000) // late, and more than a turn of the wheel
	if s := table.Stats(); s.Contacts != 0 || s.Records != 0 || s.Expired != 1 {
		t.Fatalf("%+v", s)
	}
	if want := []string{fmt.Sprint(Deleted, "alice", start+60, true), fmt.Sprint(AORDeleted, "alice", 0, false)}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	u := update(start, "a", 2, "sip:for ever", "sip:far")
	u.Bindings[0].Expires, u.Bindings[1].Expires = 0, start+5*wheelSlots
	_ = table.Save(u, nil)
	for now := start + 5000; now < start+5*wheelSlots; now += 7 {
		table.Expire(int64(now))
	}
	want(t, table, start+5*wheelSlots-1, "sip:for ever", "sip:far")
	table.Expire(start + 5*wheelSlots)
	want(t, table, start, "sip:for ever")
}

func TestFlows(t *testing.T) {
	table := New(Config{})
	register := func(aor string, flow reactor.Handle, cseq uint32) {
		u := update(start, "a", cseq, "sip:1")
		u.AOR, u.Flow = []byte(aor), flow
		if err := table.Save(u, nil); err != nil {
			t.Fatal(err)
		}
	}
	register("alice", 7, 1)
	register("bob", 7, 1)
	register("carol", 8, 1)
	register("bob", 8, 2) // comes by another connection now
	if n := table.FlowEnded(7, false); n != 1 {
		t.Errorf("%d contacts of flow 7", n)
	}
	table.Lookup([]byte("alice"), start, func(c *Contact) bool {
		if !c.FlowLost {
			t.Error("not marked")
		}
		return true
	})
	register("alice", 9, 2)
	table.Lookup([]byte("alice"), start, func(c *Contact) bool {
		if c.FlowLost || c.Flow != 9 {
			t.Error("a new flow does not mend it")
		}
		return true
	})
	if n := table.FlowEnded(8, true); n != 2 {
		t.Errorf("%d contacts of flow 8", n)
	}
	if s := table.Stats(); s.Contacts != 1 || table.HasFlow(7) || table.HasFlow(8) || !table.HasFlow(9) {
		t.Errorf("left: %+v", s)
	}
}

func TestRemove(t *testing.T) {
	table := New(Config{})
	_ = table.Save(update(start, "a", 1, "sip:1", "sip:2"), nil)
	if table.RemoveContact([]byte("alice"), "sip:3") || !table.RemoveContact([]byte("alice"), "sip:1") {
		t.Error("the wrong contact")
	}
	want(t, table, start, "sip:2")
	if !table.Remove([]byte("alice")) || table.Remove([]byte("alice")) || table.Remove([]byte("bob")) {
		t.Error("removed what is not there, or not what is")
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	table := New(Config{})
	u := update(start, "a", 1, "sip:1")
	_ = table.Save(u, nil)
	aor := []byte("alice")
	if n := testing.AllocsPerRun(100, func() {
		u.CSeq++
		_ = table.Save(u, nil) // the same phone again
		table.Lookup(aor, start, func(c *Contact) bool { return len(c.URI()) > 0 })
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParts(t *testing.T) {
	table := New(Config{})
	for i := range 1000 {
		u := update(start, "a", 1, "sip:1")
		u.AOR = fmt.Append(nil, i)
		_ = table.Save(u, nil)
	}
	for _, parts := range []int{1, 3, 60, 500} {
		seen := map[string]int{}
		for part := range parts {
			table.EachOf(part, parts, func(c *Contact) bool { seen[c.AOR()]++; return true })
		}
		if len(seen) != 1000 {
			t.Errorf("%d parts have %d contacts", parts, len(seen))
		}
		for aor, n := range seen {
			if n != 1 {
				t.Errorf("%d parts: %s comes %d times", parts, aor, n)
			}
		}
	}
}
