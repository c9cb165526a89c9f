package compare

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/sample"
)

// sippWrote is what sipp 3.6 writes with -trace_stat, of the columns that are read and some besides; the last line counts.
func sippWrote(t *testing.T) string {
	t.Helper()
	columns := [][2]string{
		{"StartTime", "2026-01-02\t03:04:05.5\t1.5"}, {"TotalCallCreated", "60"}, {"CurrentCall", "0"}, {"SuccessfulCall(P)", "1"},
		{"SuccessfulCall(C)", "50"}, {"FailedCall(C)", "10"}, {"FailedUnexpectedMessage(P)", "7"}, {"FailedUnexpectedMessage(C)", "8"},
		{"FailedTimeoutOnRecv(C)", "2"}, {"FailedTcpConnect(C)", "0"}, {"OutOfCallMsgs(C)", "3"}, {"DeadCallMsgs(C)", "1"},
		{"Retransmissions(C)", "4"}, {"ResponseTime1(P)", "00:00:00:009000"}, {"ResponseTime1(C)", "00:00:01:002000"},
		{"ResponseTime1StDev(C)", "00:00:00:003000"}, {"ResponseTime2(C)", "?"}, {"ResponseTimeRepartition1", ""},
		{"ResponseTimeRepartition1_<10", "1"}, {"ResponseTimeRepartition1_<1", "47"}, {"ResponseTimeRepartition1_<2", "2"},
		{"ResponseTimeRepartition1_>=10", "0"}, {"ResponseTimeRepartition2_<1", "48"},
	}
	var head, line []string
	for _, c := range columns {
		head, line = append(head, c[0]), append(line, c[1])
	}
	file := filepath.Join(t.TempDir(), "uac.csv")
	text := strings.Join(head, ";") + ";\n" + strings.Repeat("0;", len(head)) + "\n" + strings.Join(line, ";") + ";\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSIPpResult(t *testing.T) {
	last, err := readStatistics(sippWrote(t))
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{}
	used := sample.Usage{Elapsed: 2 * time.Second, CPU: 5 * time.Millisecond, Threads: map[string]time.Duration{"x/1": 5 * time.Millisecond}}
	if err := tr.sippResult(used, last, []string{"INVITE", "BYE", "re-INVITE"}); err != nil {
		t.Fatal(err)
	}
	want := report.Run{
		Values:    map[string]float64{report.CPU: 100, report.Rate: 25, report.Server: 0.0025, report.Retries: 4, report.SIPpMean: 1002, report.SIPpP99: 10},
		Counts:    map[string]int64{report.Started: 60, report.Done: 50, report.Failed: 10, report.Retransmitted: 4, report.Duplicated: 4},
		Reasons:   map[string]int64{"sipp: UnexpectedMessage": 8, "sipp: TimeoutOnRecv": 2},
		Responses: []report.Response{{Of: "INVITE", Mean: 1002, StdDev: 3, Below: []report.Class{{Limit: 1, Count: 47}, {Limit: 2, Count: 2}, {Limit: 10, Count: 1}}}},
		Threads:   map[string]float64{"x/1": 100},
	}
	if !reflect.DeepEqual(tr.out, want) {
		t.Errorf("got  %+v\nwant %+v", tr.out, want)
	}
}

func TestSIPpWithoutResult(t *testing.T) {
	if _, err := readStatistics(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no file")
	}
	file := filepath.Join(t.TempDir(), "head.csv")
	if err := os.WriteFile(file, []byte("SuccessfulCall(C);\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readStatistics(file); err == nil || !strings.Contains(err.Error(), "1 lines") {
		t.Error(err)
	}
	tr := &trial{}
	if err := tr.sippResult(sample.Usage{}, statistics{"FailedCall(C)": "3", "FailedTcpClosed(C)": "3"}, nil); err == nil || tr.out.Reasons["sipp: TcpClosed"] != 3 {
		t.Errorf("%v, %+v", err, tr.out)
	}
}

func TestSIPpMilliseconds(t *testing.T) {
	for text, want := range map[string]float64{"00:00:00:000000": 0, "01:02:03:004500": 3723004.5} {
		if got, ok := (statistics{"x": text}).milliseconds("x"); !ok || got != want {
			t.Errorf("%s: %g, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "1:2:3", "a:0:0:0", "-1:0:0:0", "0:0:0:99999999999"} {
		if got, ok := (statistics{"x": text}).milliseconds("x"); ok {
			t.Errorf("%q: %g", text, got)
		}
	}
}
