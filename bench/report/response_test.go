package report

import (
	"strings"
	"testing"
)

// times is the response time of a request: so many below 1 ms, below 5 ms, and slower.
func times(of string, mean float64, one, five, slower int64) Response {
	return Response{Of: of, Mean: mean, StdDev: 2, Below: []Class{{1, one}, {5, five}}, Slower: slower}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		r     Response
		limit float64
		ok    bool
	}{
		{times("", 0, 100, 0, 0), 1, true},
		{times("", 0, 99, 1, 0), 1, true},
		{times("", 0, 98, 2, 0), 5, true},
		{times("", 0, 50, 48, 2), 0, false},
		{times("", 0, 0, 0, 0), 0, false},
		{Response{}, 0, false},
	} {
		if limit, ok := c.r.Within(0.99); limit != c.limit || ok != c.ok {
			t.Errorf("%+v: %g, %t", c.r, limit, ok)
		}
	}
}

// TestSIPpIsShown has what sipp said in the terminal's tables and on the page, over all runs, and leaves the runs as
// they were.
func TestSIPpIsShown(t *testing.T) {
	r := &Report{
		Systems:  []System{{Name: "sipreactor", Role: "ours"}},
		Measures: []Measure{{Name: "sipp-calls", Group: "sipp", Unit: "call", Main: CPU}},
	}
	for i := range int64(2) {
		r.Add("sipp-calls", "sipreactor", Run{
			Values:    map[string]float64{CPU: 300, SIPpMean: 1, SIPpP99: 5},
			Counts:    map[string]int64{Started: 10 + i, Done: 10, Failed: i, Retransmitted: 2 * i},
			Reasons:   map[string]int64{"sipp: UnexpectedMessage": i},
			Responses: []Response{times("INVITE", 1+2*float64(i), 8, 2, 0), times("BYE", 0, 9, 0, 1)},
		})
	}
	var text, page strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	want := "sipp: 21 calls, 20 done, 1 failed, 2 retransmissions; INVITE answered in 2.0 ms, σ 2: 16 below 1 ms, 4 below 5 ms; " +
		"BYE answered in 0.0 ms, σ 2: 18 below 1 ms, 2 slower"
	for _, shown := range []string{text.String(), page.String()} {
		for _, part := range []string{want, "sipp&#39;s response time|sipp's response time", "99 % below", "1 failed; 2 retransmitted (sipp: UnexpectedMessage)"} {
			either := false
			for p := range strings.SplitSeq(part, "|") {
				either = either || strings.Contains(shown, p)
			}
			if !either {
				t.Errorf("no %q in %s", part, shown)
			}
		}
	}
	if got := r.Results[0].Runs[0].Responses[0].Below[0].Count; got != 8 {
		t.Error("the first run is changed:", got)
	}
}
