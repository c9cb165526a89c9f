package recurrence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// frequency is how often a period comes again.
type frequency uint8

const (
	once frequency = iota
	daily
	weekly
	monthly
	yearly
)

var frequencies = map[string]frequency{"DAILY": daily, "WEEKLY": weekly, "MONTHLY": monthly, "YEARLY": yearly}

// rule is one recurrence.
type rule struct {
	zone     *time.Location
	start    time.Time     // zero: since ever
	length   time.Duration // of a period
	endless  bool          // without freq: the period has no end
	freq     frequency
	until    time.Time // zero: for ever
	interval int

	byDay                                    []weekday
	byMonthDay, byYearDay, byWeekNo, byMonth []int
}

// weekday is a day of the week; nth of the month or year, from its end if below 0,
// or 0 for each.
type weekday struct {
	nth int
	day time.Weekday
}

const day = 24 * time.Hour

// parseRule reads fields between bars.
func parseRule(s string) (*rule, error) {
	f := strings.Split(s, "|")
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	r := &rule{zone: time.Local, interval: 1}
	if !startsWithTime(f) {
		if f[0] != "" {
			zone, err := time.LoadLocation(f[0])
			if err != nil || f[0] == "Local" {
				return nil, fmt.Errorf("%q is neither a date nor a time zone", f[0])
			}
			r.zone = zone
		}
		f = f[1:]
	}
	const fields = 11
	if len(f) > fields {
		return nil, fmt.Errorf("%d fields are more than %d", len(f), fields)
	}
	f = append(f, make([]string, fields-len(f))...)
	var err error
	note := func(e error) {
		if err == nil {
			err = e
		}
	}
	var end time.Time
	r.start, err = r.parseTime(f[0], false)
	end, e := r.parseTime(f[1], false)
	note(e)
	length, e := parseDuration(f[2])
	note(e)
	if f[3] != "" {
		ok := false
		if r.freq, ok = frequencies[strings.ToUpper(f[3])]; !ok {
			note(fmt.Errorf("%q is none of DAILY, WEEKLY, MONTHLY, YEARLY", f[3]))
		}
	}
	r.until, e = r.parseTime(f[4], true)
	note(e)
	if f[5] != "" {
		if r.interval, e = strconv.Atoi(f[5]); e != nil || r.interval < 1 {
			note(fmt.Errorf("interval %q is no number from 1", f[5]))
		}
	}
	r.byDay, e = parseDays(f[6])
	note(e)
	for i, by := range []struct {
		list       *[]int
		name       string
		most       int
		fromTheEnd bool
	}{{&r.byMonthDay, "bymonthday", 31, true}, {&r.byYearDay, "byyearday", 366, true}, {&r.byWeekNo, "byweekno", 53, true}, {&r.byMonth, "bymonth", 12, false}} {
		*by.list, e = parseNumbers(f[7+i], by.name, by.most, by.fromTheEnd)
		note(e)
	}
	if err == nil {
		err = r.settle(end, length)
	}
	return r, err
}

// startsWithTime tells that the fields begin with dtstart, not with a time zone.
func startsWithTime(f []string) bool {
	if len(f[0]) >= 8 && f[0][0] >= '0' && f[0][0] <= '9' {
		return true
	}
	return f[0] == "" && len(f) > 3 && frequencies[strings.ToUpper(f[3])] != once
}

// settle finds out how long a period lasts.
func (r *rule) settle(end time.Time, length time.Duration) error {
	switch {
	case !end.IsZero() && length > 0:
		return fmt.Errorf("there are both dtend and duration")
	case !end.IsZero() && !end.After(r.start):
		return fmt.Errorf("dtend is not behind dtstart")
	case !end.IsZero():
		length = end.Sub(r.start)
	}
	r.length = length
	if r.freq == once {
		r.endless = length == 0
		return nil
	}
	single := len(r.byDay)+len(r.byMonthDay)+len(r.byYearDay) > 0 || r.freq == daily
	if single && length > day && !end.IsZero() {
		// From 8 of a day in January to 18 of one in December, on working days, is
		// from 8 to 18 of each until then.
		if r.until.IsZero() {
			r.until = end
		}
		if r.length = clock(end) - clock(r.start); r.length <= 0 {
			r.length += day
		}
	}
	if length == 0 {
		r.length = day
		if !single {
			r.length = map[frequency]time.Duration{weekly: 7 * day, monthly: 31 * day, yearly: 366 * day}[r.freq]
		}
	}
	if r.length > 366*day {
		return fmt.Errorf("a period of more than a year does not come again")
	}
	return nil
}

// clock gives the time of day.
func clock(t time.Time) time.Duration {
	h, m, s := t.Clock()
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
}

// Holds reports whether t lies in a period: Expression.
func (r *rule) Holds(t time.Time) bool {
	t = t.In(r.zone)
	if t.Before(r.start) {
		return false
	}
	if r.freq == once {
		return r.endless || t.Before(r.start.Add(r.length))
	}
	// The period that t lies in has begun on its day or on one before.
	y, m, d := t.Date()
	h, minute, s := r.start.Clock()
	if r.start.IsZero() {
		h, minute, s = 0, 0, 0
	}
	for back := 0; back <= int(r.length/day)+1; back++ {
		begin := time.Date(y, m, d-back, h, minute, s, 0, r.zone)
		if begin.After(t) {
			continue
		}
		if t.Before(begin.Add(r.length)) && !begin.Before(r.start) && (r.until.IsZero() || !begin.After(r.until)) && r.begins(begin) {
			return true
		}
	}
	return false
}

// begins tells whether a period begins on a day.
func (r *rule) begins(t time.Time) bool {
	start := r.start
	if start.IsZero() {
		start = time.Date(1970, 1, 1, 0, 0, 0, 0, r.zone)
	}
	limited := len(r.byDay)+len(r.byMonthDay)+len(r.byYearDay)+len(r.byWeekNo) > 0
	var steps int
	switch r.freq {
	case once:
		return false
	case daily:
		steps = days(start, t)
	case weekly:
		steps = days(monday(start), monday(t)) / 7
		if len(r.byDay) == 0 && !limited && t.Weekday() != start.Weekday() {
			return false
		}
	case monthly:
		steps = (t.Year()-start.Year())*12 + int(t.Month()-start.Month())
		if !limited && t.Day() != start.Day() {
			return false
		}
	case yearly:
		steps = t.Year() - start.Year()
		if !limited && t.Day() != start.Day() || !limited && len(r.byMonth) == 0 && t.Month() != start.Month() {
			return false
		}
	}
	if steps%r.interval != 0 {
		return false
	}
	_, week := t.ISOWeek()
	return r.onDay(t) &&
		among(r.byMonthDay, t.Day(), daysOf(t.Year(), t.Month())) &&
		among(r.byYearDay, t.YearDay(), time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()) &&
		among(r.byWeekNo, week, weeksOf(t.Year())) &&
		among(r.byMonth, int(t.Month()), 12)
}

// onDay tells whether the day of the week is one of byDay.
func (r *rule) onDay(t time.Time) bool {
	for _, w := range r.byDay {
		if w.day != t.Weekday() {
			continue
		}
		n, of := t.Day(), daysOf(t.Year(), t.Month())
		if r.freq == yearly && len(r.byMonth) == 0 {
			n, of = t.YearDay(), time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
		}
		if w.nth == 0 || r.freq < monthly || w.nth == (n-1)/7+1 || w.nth == -((of-n)/7+1) {
			return true
		}
	}
	return len(r.byDay) == 0
}

// among tells whether n of most is in a list, in which numbers below 0 count from
// the end. An empty list has all.
func among(list []int, n, most int) bool {
	return len(list) == 0 || slices.Contains(list, n) || slices.Contains(list, n-most-1)
}

// days gives how many days lie between two dates.
func days(from, to time.Time) int {
	date := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(date(to).Sub(date(from)) / day)
}

// monday gives the first day of a week.
func monday(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }

func daysOf(year int, m time.Month) int { return time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func weeksOf(year int) int {
	_, w := time.Date(year, 12, 28, 0, 0, 0, 0, time.UTC).ISOWeek()
	return w
}
