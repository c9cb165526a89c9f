package recurrence

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseTime reads a date with or without a time, "" is the zero time. Of a date
// alone the last second is meant where it is an end that counts.
func (r *rule) parseTime(s string, last bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse("20060102T150405Z", s); err == nil {
		return t.In(r.zone), nil
	}
	if t, err := time.ParseInLocation("20060102T150405", s, r.zone); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation("20060102", s, r.zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not written as 20260131T235959", s)
	}
	if last {
		t = t.AddDate(0, 0, 1).Add(-time.Second)
	}
	return t, nil
}

// parseDuration reads a duration as RFC 2445 4.3.6 has it, in either case and
// also without its P and T: P15DT5H, 8H, p30d.
func parseDuration(s string) (d time.Duration, err error) {
	if s == "" {
		return 0, nil
	}
	text := strings.TrimPrefix(strings.ToUpper(s), "P")
	clockPart := !strings.Contains(text, "T")
	number := ""
	for _, c := range text {
		unit := time.Duration(0)
		switch {
		case '0' <= c && c <= '9' && len(number) < 6:
			number += string(c)
			continue
		case c == 'T' && number == "" && !clockPart:
			clockPart = true
			continue
		case c == 'W':
			unit = 7 * day
		case c == 'D':
			unit = day
		case c == 'H' && clockPart:
			unit = time.Hour
		case c == 'M' && clockPart:
			unit = time.Minute
		case c == 'S' && clockPart:
			unit = time.Second
		}
		if unit == 0 || number == "" {
			return 0, fmt.Errorf("%q is no duration such as P1DT8H30M", s)
		}
		n, _ := strconv.Atoi(number)
		d += time.Duration(n) * unit
		number = ""
	}
	if number != "" || d <= 0 || d > 200*366*day {
		return 0, fmt.Errorf("%q is no duration such as P1DT8H30M", s)
	}
	return d, nil
}

var weekdays = map[string]time.Weekday{"SU": time.Sunday, "MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday,
	"TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday}

// parseDays reads byday: MO,2TU,-1FR.
func parseDays(s string) (list []weekday, err error) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.ToUpper(strings.TrimSpace(part)); part == "" {
			continue
		}
		i := max(len(part)-2, 0)
		d, ok := weekdays[part[i:]]
		nth := 0
		if ok && i > 0 {
			nth, err = strconv.Atoi(strings.TrimPrefix(part[:i], "+"))
			ok = err == nil && nth != 0 && nth >= -53 && nth <= 53
		}
		if !ok {
			return nil, fmt.Errorf("byday %q is no day such as MO or -1FR", part)
		}
		list = append(list, weekday{nth, d})
	}
	return list, nil
}

// parseNumbers reads numbers from 1 to most, or where that is allowed from -1 down.
func parseNumbers(s, name string, most int, fromTheEnd bool) (list []int, err error) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(part, "+"))
		if err != nil || n == 0 || n > most || n < 0 && (!fromTheEnd || n < -most) {
			return nil, fmt.Errorf("%s %q is no number from 1 to %d", name, part, most)
		}
		list = append(list, n)
	}
	return list, nil
}
