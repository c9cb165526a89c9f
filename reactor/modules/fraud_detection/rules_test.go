package fraud_detection

import (
	"testing"
	"time"

	core "sipreactor/reactor/dialog"
)

// A rule holds within its hours, with both minutes, and begins to count with them or at midnight.
func TestHolds(t *testing.T) {
	for _, c := range []struct {
		from, to, days, now, since string // "": it does not hold
	}{
		{"09:00", "17:00", "Mon-Fri", "2026-11-30 09:00:00", "2026-11-30 09:00:00"},
		{"09:00", "17:00", "Mon-Fri", "2026-11-30 17:00:59", "2026-11-30 09:00:00"},
		{"09:00", "17:00", "Mon-Fri", "2026-11-30 17:01:00", ""},
		{"09:00", "17:00", "Mon-Fri", "2026-11-30 08:59:59", ""},
		{"09:00", "17:00", "Mon-Fri", "2026-11-29 10:00:00", ""},
		{"00:00", "23:59", "Fri-Mon, Wed", "2026-11-29 23:59:59", "2026-11-29 00:00:00"},
		{"00:00", "23:59", "fri-MON,Wed", "2026-12-02 12:00:00", "2026-12-02 00:00:00"},
		{"00:00", "23:59", "Fri-Mon, Wed", "2026-12-01 12:00:00", ""},
		{"22:00", "06:00", "Mon", "2026-11-30 22:30:00", "2026-11-30 22:00:00"},
		{"22:00", "06:00", "Mon", "2026-12-01 05:00:00", "2026-12-01 00:00:00"},
		{"22:00", "06:00", "Mon", "2026-11-30 05:00:00", ""},
		{"22:00", "06:00", "Mon", "2026-12-01 07:00:00", ""},
	} {
		at := func(s string) time.Time {
			v, err := time.Parse(time.DateTime, s)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		r := new(rule)
		r.from, _ = parseHour(c.from)
		r.to, _ = parseHour(c.to)
		r.days, _ = parseDays(c.days)
		since, ok := r.holds(at(c.now))
		if ok != (c.since != "") || ok && !since.Equal(at(c.since)) {
			t.Errorf("%s-%s %s at %s: %v %v", c.from, c.to, c.days, c.now, since, ok)
		}
	}
}

// Calls of the last minute, calls of an interval, and calls that go on.
func TestCounts(t *testing.T) {
	counts, r := newCounts(), &rule{prefix: "49"}
	call := func(d *core.Dialog, since, now int64, want ...int64) {
		t.Helper()
		v, err := counts.begin(&call{rule: r, user: "u"}, d, since, now)
		if got := []int64{v[perMinute], v[total], v[concurrent], v[sequential]}; err != nil || len(want) != 4 || [4]int64(got) != [4]int64(want) {
			t.Errorf("%v, not %v: %v", got, want, err)
		}
	}
	a, b, c, d := new(core.Dialog), new(core.Dialog), new(core.Dialog), new(core.Dialog)
	call(a, 900, 1000, 1, 1, 1, 1)
	call(a, 900, 1000, 2, 2, 1, 2) // the same call once more
	call(b, 900, 1059, 3, 3, 2, 3)
	call(c, 900, 1060, 2, 4, 3, 4)
	call(d, 1070, 1080, 1, 1, 4, 5) // in the next interval
	if n := len(counts.end(a)); n != 1 {
		t.Error(n)
	}
	if n := len(counts.end(a)); n != 0 {
		t.Error("a call ends twice:", n)
	}
	if v, ok := counts.look("u", "49", 1139); !ok || v[perMinute] != 1 || v[concurrent] != 3 {
		t.Error(v, ok)
	}
	if v, _ := counts.look("u", "49", 1140); v[perMinute] != 0 {
		t.Error(v)
	}
}

// What is over is forgotten when there is no room.
func TestRoom(t *testing.T) {
	counts, d := newCounts(), new(core.Dialog)
	if _, err := counts.begin(&call{rule: new(rule), user: "stays"}, d, 0, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := counts.begin(&call{rule: new(rule), user: "goes"}, new(core.Dialog), 0, 1000); err != nil {
		t.Fatal(err)
	}
	counts.users["goes"].prefixes[""].concurrent = 0
	counts.usages = maxUsages
	if _, err := counts.begin(&call{rule: new(rule), user: "new"}, new(core.Dialog), 0, 1001); err == nil {
		t.Error("there is room")
	}
	if _, err := counts.begin(&call{rule: new(rule), user: "new"}, new(core.Dialog), 0, 1001+kept); err != nil {
		t.Error(err)
	}
	if counts.users["goes"] != nil || counts.users["stays"] == nil || counts.usages != maxUsages {
		t.Error(counts.users, counts.usages)
	}
}
