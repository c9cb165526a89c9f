package dialog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

const start = 1_700_000_000

func invite(t *testing.T, table *Table, callID string, change ...func(*Init)) *Dialog {
	t.Helper()
	in := &Init{CallID: callID, FromTag: "f", FromURI: "<sip:a@h>", ToURI: "<sip:b@h>", RequestURI: "sip:b@h", CSeq: 1,
		Caller: Leg{Tag: "f", Contact: "sip:a@1", CSeq: 1}, Timeout: 100}
	for _, f := range change {
		f(in)
	}
	d, err := table.Create(in, start)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestCourse takes every way through the states.
func TestCourse(t *testing.T) {
	type step struct {
		do   func(d *Dialog)
		want State
	}
	heard := func(code int, tag string) func(*Dialog) {
		return func(d *Dialog) { d.Heard(code, &Said{Tag: []byte(tag), Contact: []byte("sip:" + tag)}, start+1) }
	}
	acked := func(d *Dialog) { d.Acked([]byte("")) }
	bye := func(d *Dialog) { d.End(DownstreamBYE, start+9) }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"a call", []step{{heard(180, "t"), Early}, {heard(180, "t"), Early}, {heard(200, "t"), Answered}, {acked, Confirmed}, {acked, Confirmed}, {bye, Ended}, {acked, Ended}}},
		{"no ringing", []step{{heard(200, "t"), Answered}, {bye, Ended}}},
		{"no tag", []step{{heard(180, ""), Unconfirmed}, {heard(100, "t"), Unconfirmed}, {acked, Unconfirmed}}},
		{"fails", []step{{heard(180, "t"), Early}, {heard(486, "t"), Early}, {func(d *Dialog) { d.End(Failed, start) }, Ended}, {heard(200, "t"), Ended}}},
		{"fork", []step{{heard(180, "t"), Early}, {heard(180, "u"), Early}, {heard(200, "u"), Answered}, {acked, Confirmed}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var changes []State
			table := New(Config{Notify: func(x Change) {
				if x.Old == x.New {
					t.Error("a change that is none")
				}
				changes = append(changes, x.New)
			}})
			d := invite(t, table, "c")
			was := Unconfirmed
			for i, s := range c.steps {
				n := len(changes)
				s.do(d)
				if got := d.State(); got != s.want {
					t.Fatalf("step %d: %d, want %d", i, got, s.want)
				}
				if changed := len(changes) > n; changed != (was != s.want) {
					t.Errorf("step %d: told %v", i, changes[n:])
				}
				was = s.want
			}
		})
	}
}

func TestFork(t *testing.T) {
	table := New(Config{})
	d := invite(t, table, "c")
	d.Heard(180, &Said{Tag: []byte("t"), Contact: []byte("sip:t")}, start)
	d.Heard(200, &Said{Tag: []byte("u"), Contact: []byte("sip:u"), Routes: []byte("<sip:p;lr>")}, start+5)
	d.Heard(200, &Said{Tag: []byte("t"), Contact: []byte("sip:t")}, start+6) // late, of the one that lost
	s := d.Summary()
	if s.Callee != 1 || len(s.Callees) != 2 || !s.Callees[0].Answered || s.Started != start+5 || s.Expires != start+105 {
		t.Errorf("%+v", s)
	}
	if to, from, n, ok := d.Side(Downstream, -1, true); !ok || to.Contact != "sip:u" || to.Routes != "<sip:p;lr>" || from.Tag != "f" || n != 2 {
		t.Errorf("to the callee: %+v %+v %d", to, from, n)
	}
	if to, _, n, ok := d.Side(Downstream, 0, true); !ok || to.Contact != "sip:t" || n != 2 {
		t.Errorf("to the one that lost: %+v %d", to, n)
	}
	if to, from, n, ok := d.Side(Upstream, -1, true); !ok || to.Contact != "sip:a@1" || from.Tag != "u" || n != 1 {
		t.Errorf("to the caller: %+v %+v %d", to, from, n)
	}
}

func TestFind(t *testing.T) {
	table := New(Config{})
	d := invite(t, table, "c")
	other := invite(t, table, "c", func(in *Init) { in.FromTag = "g" })
	d.Heard(200, &Said{Tag: []byte("t")}, start)
	id, ok := ParseID(d.ID.String())
	if !ok || table.ByID(id) != d || table.ByID(ID{id.Number, id.Check ^ 1}) != nil || IDOfInt(d.ID.Int()) != d.ID {
		t.Errorf("%v is not found, or an invented one is", d.ID)
	}
	for _, bad := range []string{"", "1", "x.1", "1.x", "100000000.1", ".1", "1.", "1.1.", "1.1x", "-1.1", "1.100000000"} {
		if _, ok := ParseID(bad); ok {
			t.Errorf("%q is an ID", bad)
		}
	}
	for _, c := range []struct {
		callID, from, to string
		want             *Dialog
		dir              Direction
	}{
		{"c", "f", "t", d, Downstream}, {"c", "t", "f", d, Upstream}, {"c", "f", "x", nil, Unknown}, {"x", "f", "t", nil, Unknown},
		{"c", "g", "y", other, Downstream}, // of which no tag is known yet
	} {
		if got, dir := table.ByTags([]byte(c.callID), []byte(c.from), []byte(c.to)); got != c.want || dir != c.dir {
			t.Errorf("%+v: %v %v", c, got, dir)
		}
	}
	if table.ByCallID([]byte("x")) != nil {
		t.Error("found by a Call-ID that is none")
	}
	d.End(UpstreamBYE, start)
	if table.ByCallID([]byte("c")) != other {
		t.Error("an ended one comes before one that lives")
	}
	invite(t, table, "c", func(in *Init) { in.FromTag = "h" }).End(UpstreamBYE, start)
	if table.ByCallID([]byte("c")) != other {
		t.Error("a younger one that has ended comes before one that lives")
	}
}

func TestCheck(t *testing.T) {
	table := New(Config{})
	d := invite(t, table, "c")
	d.Heard(200, &Said{Tag: []byte("t"), Contact: []byte("sip:b@2"), Routes: []byte("<sip:p;lr>")}, start)
	type request struct {
		Within
		Way
	}
	good := request{Within{Dir: Downstream, CSeq: 2}, Way{URI: []byte("sip:b@2"), Routes: []byte("<sip:p;lr>")}}
	check := func(r request) Verdict {
		_, v, _ := d.Look(&r.Within, &r.Way)
		return v
	}
	for _, c := range []struct {
		name   string
		change func(*request)
		want   Verdict
	}{
		{"good", func(*request) {}, Valid},
		{"CSeq", func(w *request) { w.CSeq = 1 }, BadCSeq},
		{"CSeq of an ACK", func(w *request) { w.CSeq, w.NoCount = 1, true }, Valid},
		{"target", func(w *request) { w.URI = []byte("sip:x") }, BadTarget},
		{"routes", func(w *request) { w.Routes = nil }, BadRoutes},
		{"direction", func(w *request) { w.Dir = Unknown }, BadRequest},
		{"other way", func(w *request) { w.Dir, w.URI, w.Routes, w.CSeq = Upstream, []byte("sip:a@1"), nil, 7 }, Valid},
	} {
		w := good
		if c.change(&w); check(w) != c.want {
			t.Errorf("%s: %d, want %d", c.name, check(w), c.want)
		}
	}
	d.Saw(&Within{Dir: Downstream, CSeq: 9, Target: true, Contact: []byte("sip:a@new")}, nil)
	d.Saw(&Within{Dir: Downstream, CSeq: 3}, nil)
	late := good
	if late.CSeq = 5; check(late) != BadCSeq {
		t.Error("a request that was overtaken counts")
	}
	if to, _, n, _ := d.Side(Downstream, -1, true); n != 10 || to.Sent != 10 {
		t.Errorf("our own request has the CSeq %d", n)
	}
	if n := d.Saw(&Within{Dir: Downstream, CSeq: 10}, nil); n != 1 {
		t.Errorf("the next request of the caller's is shifted by %d behind one of ours", n)
	}
	if to, _, _, _ := d.Side(Upstream, -1, true); to.Contact != "sip:a@new" {
		t.Error("the target is not refreshed")
	}
}

func TestExpiry(t *testing.T) {
	table := New(Config{})
	table.Expire(start, func(*Dialog) { t.Error("there is nothing") })
	d := invite(t, table, "c")
	long := invite(t, table, "l", func(in *Init) { in.Timeout = 3 * wheelSlots })
	d.Heard(200, &Said{Tag: []byte("t")}, start+10)
	var over []string
	note := func(d *Dialog) { over = append(over, d.CallID) }
	table.Expire(start+109, note)
	if len(over) != 0 {
		t.Fatal("early")
	}
	table.Expire(start+110, func(d *Dialog) { note(d); d.SetTimeout(5, start+110) })
	if d.State() == Ended {
		t.Fatal("ended, though it got more time")
	}
	table.Expire(start+115, note)
	if !slices.Equal(over, []string{"c", "c"}) || d.State() != Ended || d.Reason() != Timeout || d.Lifetime(start+200) != 105 {
		t.Fatalf("%v %v %v", over, d.State(), d.Lifetime(start+200))
	}
	table.Expire(start+115+lingering-1, note)
	if table.ByID(d.ID) == nil {
		t.Error("gone at once")
	}
	table.Expire(start+115+lingering, note)
	if table.ByID(d.ID) != nil || table.ByCallID([]byte("c")) != nil {
		t.Error("it stays")
	}
	for now := int64(start + 200); now < start+3*wheelSlots; now += 50 {
		table.Expire(now, note)
	}
	if long.State() == Ended {
		t.Error("the long one ended early")
	}
	table.Expire(start+3*wheelSlots, note)
	table.Expire(start+3*wheelSlots+100, note)
	if s := table.Stats(); s.Active != 0 || s.Early != 0 || s.Processed != 2 || s.Expired != 2 || s.Failed != 1 || table.count.Load() != 0 {
		t.Errorf("%+v", s)
	}
}

// TestManyAtOnce ends with nothing left, whatever happens at once.
func TestManyAtOnce(t *testing.T) {
	p := NewProfile("p", true)
	table := New(Config{Persistent: true, Notify: func(Change) {}})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 3))
			var mine []*Dialog
			for i := range 500 {
				d := invite(t, table, fmt.Sprint(g, i/3))
				mine = append(mine, d)
				d.Join(p, fmt.Sprint(rng.IntN(5)))
				x := mine[rng.IntN(len(mine))]
				x.Heard(180+20*rng.IntN(2), &Said{Tag: []byte(fmt.Sprint(rng.IntN(3)))}, start)
				x.Acked([]byte(""))
				table.ByTags([]byte(x.CallID), []byte("f"), []byte("1"))
				switch rng.IntN(6) {
				case 0:
					x.End(UpstreamBYE, start)
				case 1:
					x.Leave(p, "", true)
				case 2:
					_ = table.Changed(10, func([]Stored) error { return nil })
				}
			}
		})
	}
	wg.Wait()
	table.Expire(start+1000, func(*Dialog) {})
	table.Expire(start+2000, func(*Dialog) {})
	if s := table.Stats(); s.Active != 0 || s.Early != 0 || table.count.Load() != 0 || p.Size() != 0 {
		t.Errorf("%+v, %d in the profile", s, p.Size())
	}
}

// TestExpiredBy checks that a call counts as expired where who is told of it ends it, by BYEs to both sides.
func TestExpiredBy(t *testing.T) {
	table := New(Config{})
	for _, why := range []Reason{Timeout, DownstreamBYE} {
		d, err := table.Create(&Init{CallID: why.String(), FromTag: "a", Timeout: 10}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		d.Heard(200, &Said{Tag: []byte("b")}, 1000)
	}
	table.Expire(1010, func(d *Dialog) {
		if d.CallID == Timeout.String() {
			d.End(Timeout, 1010)
		} else {
			d.End(DownstreamBYE, 1010)
		}
	})
	if s := table.Stats(); s.Expired != 1 || s.Active != 0 {
		t.Errorf("%+v", s)
	}
}

// TestParties: who answers names the parties as it knows them, and requests of ours to it do; the caller's are its own. Of
// forks the one counts that has answered.
func TestParties(t *testing.T) {
	table := New(Config{})
	d, err := table.Create(&Init{CallID: "c", FromTag: "a", FromURI: "sip:alice@example.net", ToURI: "sip:bob@example.net", CSeq: 1, Timeout: 60,
		Caller: Leg{Tag: "a", Contact: "sip:a"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	wants := func(want string) {
		t.Helper()
		for dir, want := range map[Direction]string{Downstream: want, Upstream: "sip:alice@example.net sip:bob@example.net"} {
			if from, to := d.Parties(dir); from+" "+to != want {
				t.Errorf("%v: %s %s, want %s", dir, from, to, want)
			}
		}
	}
	wants("sip:alice@example.net sip:bob@example.net")
	d.Heard(180, &Said{Tag: []byte("b"), From: []byte("sip:x@invalid"), To: []byte("sip:bob@example.net")}, 1)
	wants("sip:x@invalid sip:bob@example.net")
	d.Heard(180, &Said{Tag: []byte("c"), From: []byte("sip:alice@example.net"), To: []byte("sip:carol@example.net")}, 1)
	wants("sip:alice@example.net sip:carol@example.net")
	d.Heard(200, &Said{Tag: []byte("b"), From: []byte("sip:x@invalid"), To: []byte("sip:bob@example.net")}, 1)
	wants("sip:x@invalid sip:bob@example.net")
	d.Heard(200, &Said{Tag: []byte("c"), From: []byte("sip:alice@example.net"), To: []byte("sip:carol@example.net")}, 1)
	wants("sip:x@invalid sip:bob@example.net")
	if s := d.Summary(); s.Parties != (Parties{From: "sip:x@invalid"}) {
		t.Errorf("%+v", s.Parties)
	}
	other := New(Config{})
	if !other.Restore(&Row{ID: d.ID, CallID: "c", FromTag: "a", FromURI: d.FromURI, ToURI: d.ToURI, State: Confirmed, Started: 1, Expires: 1 << 40, Parties: d.Summary().Parties}) {
		t.Fatal("it is not restored")
	}
	d = other.ByID(d.ID)
	wants("sip:x@invalid sip:bob@example.net")
}

// A fork may give the caller two calls (RFC 3261 13.2.2.4): the BYE to one of them ends that, and the dialog goes on with
// the other.
func TestByeOfAFork(t *testing.T) {
	const answered, acked = 1, 2
	for name, tt := range map[string]struct {
		second int    // what became of the callee u besides its 2xx
		byes   string // whose calls end, one after the other
		ended  int    // behind which of them the dialog has
		callee string // whose call it is from the first on
	}{
		"the second":                    {second: acked, byes: "ut", ended: 2, callee: "t"},
		"the first":                     {second: acked, byes: "tu", ended: 2, callee: "u"},
		"the second one twice":          {second: acked, byes: "uut", ended: 3, callee: "t"},
		"one nobody has acknowledged":   {second: answered, byes: "t", ended: 1, callee: "t"},
		"the second, not acknowledged":  {second: answered, byes: "ut", ended: 2, callee: "t"},
		"a callee that nobody has seen": {second: acked, byes: "x", ended: 1, callee: "t"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := New(Config{}).Create(&Init{CallID: "c", FromTag: "a", Timeout: 100}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, tag := range []string{"t", "u"} {
				d.Heard(200, &Said{Tag: []byte(tag)}, 1000)
			}
			d.Acked([]byte("t"))
			if tt.second == acked {
				d.Acked([]byte("u"))
			}
			for i, tag := range tt.byes {
				last := i+1 == tt.ended
				if d.Ends([]byte(string(tag))) != last || d.Bye([]byte(string(tag)), UpstreamBYE, 1010) != last || (d.State() == Ended) != last {
					t.Errorf("BYE %d: %v", i+1, d.State())
				}
				if s := d.Summary(); i == 0 && s.Callees[s.Callee].Tag != tt.callee {
					t.Errorf("it is the call of %s", s.Callees[s.Callee].Tag)
				}
			}
		})
	}
}

// There are no more callees of a dialog, and no more dialogs, than there may be.
func TestMost(t *testing.T) {
	table := New(Config{Max: 2})
	d := invite(t, table, "c")
	for i := range maxLegs + 2 {
		d.Heard(180, &Said{Tag: fmt.Append(nil, i)}, start)
	}
	if n := len(d.Summary().Callees); n != maxLegs {
		t.Errorf("%d callees", n)
	}
	invite(t, table, "d")
	if _, err := table.Create(&Init{CallID: "e", FromTag: "f", Timeout: 100}, start); err != ErrFull {
		t.Errorf("one too many: %v", err)
	}
	if s := table.Stats(); s.Early != 1 || s.Active != 2 {
		t.Errorf("%+v", s)
	}
	d.Heard(200, &Said{Tag: []byte("0")}, start)
	if s := table.Stats(); s.Early != 0 || s.Active != 2 {
		t.Errorf("behind an answer: %+v", s)
	}
}

// A 2xx behind the end begins no call.
func TestAnsweredBehindTheEnd(t *testing.T) {
	d := invite(t, New(Config{}), "c")
	d.End(Failed, start+5)
	d.Heard(200, &Said{Tag: []byte("t")}, start+6)
	if s := d.Summary(); s.Started != 0 || d.Left(start+6) > 94 {
		t.Errorf("it has begun at %d, and %d s are left", s.Started, d.Left(start+6))
	}
}
