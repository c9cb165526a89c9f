package compare

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/sample"
)

// statistics is the last line of what sipp writes with -trace_stat: its sums over all calls, by the name of the column.
type statistics map[string]string

func readStatistics(file string) (statistics, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = ';', true, -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, fmt.Errorf("sipp left %d lines of statistics: %w", len(rows), errors.Join(err, errors.New("no result")))
	}
	last := statistics{}
	end := rows[len(rows)-1]
	for i, column := range rows[0] {
		if i < len(end) {
			last[column] = end[i]
		}
	}
	return last, nil
}

// number is a count, 0 where sipp has no such column.
func (s statistics) number(column string) int64 {
	n, _ := strconv.ParseInt(s[column], 10, 64)
	return n
}

// milliseconds reads sipp's hours:minutes:seconds:microseconds.
func (s statistics) milliseconds(column string) (float64, bool) {
	parts := strings.Split(s[column], ":")
	if len(parts) != 4 {
		return 0, false
	}
	var sum time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second, time.Microsecond} {
		n, err := strconv.ParseInt(parts[i], 10, 32)
		if err != nil || n < 0 {
			return 0, false
		}
		sum += time.Duration(n) * unit
	}
	return float64(sum.Microseconds()) / 1000, true
}

// reasons are sipp's counters of why calls failed, in its own words.
func (s statistics) reasons() map[string]int64 {
	all := map[string]int64{}
	for column := range s {
		why, failed := strings.CutPrefix(column, "Failed")
		why, sum := strings.CutSuffix(why, "(C)")
		if n := s.number(column); failed && sum && why != "Call" && n > 0 {
			all["sipp: "+why] = n
		}
	}
	return all
}

// responses are the response times that the scenario takes, as sipp has them: in whole milliseconds.
func (s statistics) responses(timed []string) []report.Response {
	var all []report.Response
	for i, of := range timed {
		n := strconv.Itoa(i + 1)
		mean, ok := s.milliseconds("ResponseTime" + n + "(C)")
		if !ok {
			continue
		}
		r := report.Response{Of: of, Mean: mean}
		r.StdDev, _ = s.milliseconds("ResponseTime" + n + "StDev(C)")
		for column := range s {
			class, ok := strings.CutPrefix(column, "ResponseTimeRepartition"+n+"_")
			if !ok {
				continue
			}
			if limit, err := strconv.ParseFloat(strings.TrimPrefix(class, "<"), 64); err == nil {
				r.Below = append(r.Below, report.Class{Limit: limit, Count: s.number(column)})
			} else if strings.HasPrefix(class, ">=") {
				r.Slower = s.number(column)
			}
		}
		slices.SortFunc(r.Below, func(a, b report.Class) int { return int(a.Limit - b.Limit) })
		all = append(all, r)
	}
	return all
}

// sippResult takes over what sipp tells of itself.
func (t *trial) sippResult(u sample.Usage, last statistics, timed []string) error {
	done := last.number("SuccessfulCall(C)")
	t.out.Counts = map[string]int64{
		report.Started: last.number("TotalCallCreated"), report.Done: done, report.Failed: last.number("FailedCall(C)"),
		report.Retransmitted: last.number("Retransmissions(C)"), report.Duplicated: last.number("OutOfCallMsgs(C)") + last.number("DeadCallMsgs(C)"),
	}
	t.out.Reasons = last.reasons()
	t.out.Responses = last.responses(timed)
	if done == 0 {
		return errors.New("sipp had no successful call")
	}
	t.out.Values = map[string]float64{
		report.CPU: float64(u.CPU.Microseconds()) / float64(done), report.Rate: float64(done) / u.Elapsed.Seconds(),
		report.Server: u.CPU.Seconds() / u.Elapsed.Seconds(), report.Retries: float64(last.number("Retransmissions(C)")),
	}
	if len(t.out.Responses) > 0 {
		first := t.out.Responses[0]
		t.out.Values[report.SIPpMean] = first.Mean
		if limit, ok := first.Within(0.99); ok {
			t.out.Values[report.SIPpP99] = limit
		}
	}
	t.out.Threads = threads(u, float64(done))
	return nil
}
