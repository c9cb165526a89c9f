package fraud_detection

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor/store"
)

// tableVersion is that of the table's layout.
const tableVersion = 1

// maxPrefix bounds the prefixes, in bytes.
const maxPrefix = 64

// limit is the numbers from which on there is a warning, or worse; 0 is none.
type limit struct{ warning, critical int64 }

// rule is a row of the table.
type rule struct {
	id, profile int64
	prefix      string
	from, to    int // minutes of the day; both belong to it
	days        [7]bool
	limits      [measures]limit
}

// rules are those of the table, by profile and prefix.
type rules map[int64]map[string][]*rule

// find gives the rule for a number at a time, and since when that has counted; nil if there is none.
func (r rules) find(profile int64, number []byte, now time.Time) (*rule, time.Time) {
	prefixes := r[profile]
	for n := min(len(number), maxPrefix); n >= 0; n-- {
		for _, one := range prefixes[string(number[:n])] {
			if since, ok := one.holds(now); ok {
				return one, since
			}
		}
	}
	return nil, time.Time{}
}

// holds reports whether the rule is one for a time, and since when on that day. An interval whose end lies before its
// start goes on over midnight.
func (r *rule) holds(now time.Time) (since time.Time, ok bool) {
	minute, day := now.Hour()*60+now.Minute(), now.Weekday()
	y, month, d := now.Date()
	at := func(minute int) time.Time { return time.Date(y, month, d, 0, minute, 0, 0, now.Location()) }
	over := r.to < r.from
	switch {
	case r.days[day] && minute >= r.from && (over || minute <= r.to):
		return at(r.from), true
	case over && r.days[(day+6)%7] && minute <= r.to:
		return at(0), true
	}
	return time.Time{}, false
}

func (m *module) loadRules(ctx context.Context, s store.Source) (*rules, error) {
	all := make(rules)
	err := s.Load(ctx, store.Select{Table: m.table, Columns: m.columns, Key: m.columns[0], Version: tableVersion}, func(row *store.Row) (err error) {
		r := &rule{id: row.Int(0), profile: row.Int(1), prefix: row.Text(2)}
		if len(r.prefix) > maxPrefix {
			return row.Fault(2, "is longer than %d bytes", maxPrefix)
		}
		if r.from, err = parseHour(row.Text(3)); err != nil {
			return row.Fault(3, "%v", err)
		}
		if r.to, err = parseHour(row.Text(4)); err != nil {
			return row.Fault(4, "%v", err)
		}
		if r.days, err = parseDays(row.Text(5)); err != nil {
			return row.Fault(5, "%v", err)
		}
		for i := range r.limits {
			r.limits[i] = limit{row.IntIn(6+2*i, 0, 1<<32-1), row.IntIn(7+2*i, 0, 1<<32-1)}
		}
		if all[r.profile] == nil {
			all[r.profile] = make(map[string][]*rule)
		}
		list := append(all[r.profile][r.prefix], r)
		slices.SortStableFunc(list, func(a, b *rule) int { return cmp.Compare(a.id, b.id) })
		all[r.profile][r.prefix] = list
		return nil
	})
	return &all, err
}

// parseHour reads HH:MM.
func parseHour(s string) (minute int, err error) {
	t, err := time.Parse("15:04", strings.TrimSpace(s))
	if err != nil {
		return 0, fmt.Errorf("%.20q is no time of day such as 09:00", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// parseDays reads Fri-Mon, Wed.
func parseDays(s string) (days [7]bool, err error) {
	for part := range strings.SplitSeq(s, ",") {
		first, last, span := strings.Cut(part, "-")
		if !span {
			last = first
		}
		from, ok := weekday(first)
		to, ok2 := weekday(last)
		if !ok || !ok2 {
			return days, fmt.Errorf("%.20q is no day or days such as Fri-Mon", part)
		}
		for d := from; ; d = (d + 1) % 7 {
			if days[d] = true; d == to {
				break
			}
		}
	}
	return days, nil
}

func weekday(s string) (time.Weekday, bool) {
	s = strings.TrimSpace(s)
	for d := time.Sunday; d <= time.Saturday; d++ {
		if len(s) == 3 && strings.EqualFold(s, d.String()[:3]) {
			return d, true
		}
	}
	return 0, false
}
