package recurrence

import (
	"strings"
	"testing"
	"time"
)

func TestHolds(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	const office = "20210104T080000|20211231T180000||WEEKLY|||MO,TU,WE,TH,FR & !20210104T120000|20211231T140000||WEEKLY|||MO,TU,WE,TH,FR"
	const american = "America/New_York|20210104T090000|20210104T170000||WEEKLY|||MO,TU,WE,TH,FR & " +
		"!(Europe/Amsterdam|20210427T000000|20210428T000000 / Europe/London|20211227T000000|20211228T000000)"
	for _, c := range []struct {
		rule, at string // at in UTC
		want     bool
	}{
		// One period.
		{"UTC|20120101T000000|20130101T000000", "2012-06-01 00:00:00", true},
		{"UTC|20120101T000000|20130101T000000", "2013-01-01 00:00:00", false},
		{"UTC|20120101T000000|20130101T000000", "2011-12-31 23:59:59", false},
		{"Europe/Bucharest|20120101T000000|20130101T000000", "2011-12-31 22:00:00", true},
		{"UTC|20121101T000000||p30d", "2012-11-30 23:59:59", true},
		{"UTC|20121101T000000||p30d", "2012-12-01 00:00:00", false},
		{"UTC|20121101T000000", "2099-12-01 00:00:00", true},
		{"20121101T000000Z||PT8H30M", "2012-11-01 08:29:59", true},
		{"20121101T000000Z||PT8H30M", "2012-11-01 08:30:00", false},
		// The documentation's.
		{"UTC|" + strings.ReplaceAll(office, "!", "!UTC|"), "2021-03-02 08:00:00", true},
		{"UTC|" + strings.ReplaceAll(office, "!", "!UTC|"), "2021-03-02 12:30:00", false},
		{"UTC|" + strings.ReplaceAll(office, "!", "!UTC|"), "2021-03-02 14:00:00", true},
		{"UTC|" + strings.ReplaceAll(office, "!", "!UTC|"), "2021-03-02 18:00:00", false},
		{"UTC|" + strings.ReplaceAll(office, "!", "!UTC|"), "2021-03-06 10:00:00", false},
		{"UTC|" + strings.ReplaceAll(office, "!", "!UTC|"), "2022-03-02 10:00:00", false},
		{american, "2021-03-02 14:00:00", true},
		{american, "2021-03-02 13:59:59", false},
		{american, "2021-04-27 14:00:00", false},
		{american, "2021-12-27 15:00:00", false},
		{american, "2023-07-03 20:59:59", true}, // summer time
		// Daily, over midnight, every second.
		{"UTC|20200610T230000|20200611T070000||DAILY", "2020-08-01 06:59:59", true},
		{"UTC|20200610T230000|20200611T070000||DAILY", "2020-08-01 07:00:00", false},
		{"UTC|20200610T230000|20200611T070000||DAILY", "2020-06-10 01:00:00", false},
		{"UTC|20200601T080000||1H|DAILY||2", "2020-06-03 08:30:00", true},
		{"UTC|20200601T080000||1H|DAILY||2", "2020-06-04 08:30:00", false},
		{"UTC|20200601T080000||1H|DAILY|20200605", "2020-06-05 08:30:00", true},
		{"UTC|20200601T080000||1H|DAILY|20200605", "2020-06-06 08:30:00", false},
		{"UTC|20200601T000000|||DAILY|||||||6,7", "2021-07-31 12:00:00", true},
		{"UTC|20200601T000000|||DAILY|||||||6,7", "2021-08-01 12:00:00", false},
		// Weekly.
		{"UTC|20210104T080000||8H|WEEKLY|||MO,TU,WE,TH,FR", "2021-08-30 07:30:00", false},
		{"UTC|20210104T080000||8H|WEEKLY|||MO,TU,WE,TH,FR", "2021-08-30 08:00:00", true},
		{"UTC|20210104T000000||1D|WEEKLY||2|SA,SU", "2021-01-10 12:00:00", true},
		{"UTC|20210104T000000||1D|WEEKLY||2|SA,SU", "2021-01-17 12:00:00", false},
		{"UTC|20210101T180000|20210104T060000||WEEKLY", "2021-02-14 12:00:00", true}, // from Friday to Monday
		{"UTC|20210101T180000|20210104T060000||WEEKLY", "2021-02-15 06:00:00", false},
		{"UTC|20210104T000000|||WEEKLY", "2021-02-14 12:00:00", true},
		// Monthly and yearly.
		{"UTC|20210101T000000||1D|MONTHLY|||-1FR", "2021-04-30 12:00:00", true},
		{"UTC|20210101T000000||1D|MONTHLY|||-1FR", "2021-04-23 12:00:00", false},
		{"UTC|20210101T000000||1D|MONTHLY|||2TU", "2021-04-13 12:00:00", true},
		{"UTC|20210101T000000||1D|MONTHLY||||-1,15", "2021-02-28 12:00:00", true},
		{"UTC|20210101T000000||1D|MONTHLY||||-1,15", "2021-02-27 12:00:00", false},
		{"UTC|20210105T000000||1D|MONTHLY", "2021-06-05 12:00:00", true},
		{"UTC|20201224T120000||P2DT12H|YEARLY", "2031-12-26 23:59:59", true},
		{"UTC|20201224T120000||P2DT12H|YEARLY", "2031-12-27 00:00:00", false},
		{"UTC|20200101T000000||1D|YEARLY|||||1", "2024-01-01 12:00:00", true},
		{"UTC|20200101T000000||1D|YEARLY|||||-1", "2024-12-31 12:00:00", true},
		{"UTC|20200101T000000||1D|YEARLY||||||53", "2026-12-30 12:00:00", true},
		{"UTC|20200101T000000||1D|YEARLY|||1MO||||9", "2026-09-07 12:00:00", true},
		{"UTC|20200101T000000||1D|YEARLY|||20MO", "2026-05-18 12:00:00", true},
		// Without a start, and operators.
		{"(UTC|20200101T000000||1H|DAILY / UTC|20200101T030000||1H|DAILY) & !UTC|20200101T000000||30M|DAILY", "2021-01-01 00:20:00", false},
		{"(UTC|20200101T000000||1H|DAILY / UTC|20200101T030000||1H|DAILY) & !UTC|20200101T000000||30M|DAILY", "2021-01-01 03:20:00", true},
		{"UTC||||DAILY", "1999-01-01 03:20:00", true},
		{"UTC|20200101T000000||1H|DAILY/UTC|20200101T030000||1H|DAILY", "2021-01-01 03:20:00", true},
	} {
		at, err := time.Parse(time.DateTime, c.at)
		if err != nil {
			t.Fatal(err)
		}
		e, err := Parse(c.rule)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if got := e.Holds(at.In(berlin)); got != c.want {
			t.Errorf("%s at %s: %v", c.rule, c.at, got)
		}
	}
}

func TestWrong(t *testing.T) {
	for _, bad := range []string{"", "x", "Mars/Base|20200101T000000", "20201301T000000", "20200101T000000|20190101T000000",
		"20200101T000000|20200102T000000|1D", "20200101T000000||8", "20200101T000000||8X", "20200101T000000|||HOURLY",
		"20200101T000000|||DAILY||0", "20200101T000000|||WEEKLY|||XX", "20200101T000000|||MONTHLY||||32", "20200101T000000|||YEARLY|||||||13",
		"20200101T000000|||YEARLY|||||||-1", "(20200101T000000", "20200101T000000)", "20200101T000000 &", "!", "20200101T000000||500D|DAILY",
		"UTC|20200101T000000|||DAILY|||||||6|7", "UTC|20200101T000000||1D|YEARLY|||1MO|||||9", strings.Repeat("(", 100)} {
		if e, err := Parse(bad); err == nil {
			t.Errorf("%q is %+v", bad, e)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("UTC|20210101T180000|20210104T060000||WEEKLY|20220101|2|MO,-1FR|1|1|1|1 & !(UTC|20200101 / 20200101T000000||P1D)")
	f.Fuzz(func(t *testing.T, s string) {
		if e, err := Parse(s); err == nil {
			e.Holds(time.Unix(1780000000, 0))
		}
	})
}
