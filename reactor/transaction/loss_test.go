package transaction

import (
	"context"
	"encoding/csv"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/netnstest"
	"sipreactor/reactor/ports"
)

// Calls of sipp over a network that loses 3 % of all datagrams: all of them end, none comes to the callee twice, and no
// transaction is left without its answer. The callee is none of sipp's, whose server takes an INVITE that comes again
// because both its responses were lost for a mistake. SIPREACTOR_SIPP=30m (and -timeout 1h) has it go on that long, and
// wants memory to be flat and every transaction to end, too.
func TestLossySIPp(t *testing.T) {
	path, err := exec.LookPath("sipp")
	if err != nil {
		t.Skip("sipp is not installed: the package sip-tester has it")
	}
	if !netnstest.In(t) {
		return
	}
	const rate, loss = 100, "3" // calls a second; percent
	calls, long := 3*rate, time.Duration(0)
	if s := os.Getenv("SIPREACTOR_SIPP"); s != "" {
		if long, err = time.ParseDuration(s); err != nil || long < 10*time.Minute {
			t.Fatalf("SIPREACTOR_SIPP=%s is no time of ten minutes or more", s)
		}
		calls = rate * int(long/time.Second)
	}
	r := &routes{}
	var to atomic.Value
	r.request = func(c ctx) {
		_ = c.SetRequestURI([]byte(to.Load().(string)))
		r.l.Relay(c, &Options{}) // r.relay keeps what each returned, which is the test's memory
	}
	timing := DefaultTiming()
	timing.Wait = 64 * timing.T1                                                         // J as the RFC has it: a BYE may find no answer for longer than wt_timer
	l := run(t, r, Config{Timing: timing}, func(c *reactor.Config) { c.QueueDelay = 0 }) // overload is no loss
	bob := l.dial(reactor.UDP, 0)
	to.Store(bob.uri("bob"))
	once := bob.answers(500 * time.Millisecond)
	_, engine, _ := net.SplitHostPort(l.at(reactor.UDP))
	netnstest.Sh(t, "nft", "add table inet loss; add chain inet loss in { type filter hook input priority 0; }; "+
		"add rule inet loss in meta l4proto udp numgen random mod 100 < "+loss+" counter drop")
	dir := t.TempDir()
	stats, said := filepath.Join(dir, "stats.csv"), filepath.Join(dir, "errors")
	ctx, cancel := context.WithTimeout(t.Context(), long+2*time.Minute)
	defer cancel()
	var early atomic.Uint64
	if long > 0 {
		defer time.AfterFunc(long/5, func() { early.Store(liveHeap()) }).Stop()
	}
	if err := exec.CommandContext(ctx, path, "-sf", "testdata/lossy_uac.xml", "-i", "127.0.0.1", "-p", freeUDP(t), "-m", strconv.Itoa(calls), "-r", strconv.Itoa(rate), "-l", "10000", "-d", "100",
		"-nostdin", "-trace_stat", "-stf", stats, "-fd", "1", "-trace_err", "-error_file", said, "127.0.0.1:"+engine).Run(); err != nil {
		why, _ := os.ReadFile(said)
		t.Errorf("sipp: %v\n%s", err, why[max(0, len(why)-4096):])
	}
	for column, want := range map[string]int{"SuccessfulCall(C)": calls, "FailedCall(C)": 0, "TotalCallCreated": calls} {
		if got := lastOf(t, stats, column); got != want {
			t.Errorf("%s: %d, want %d", column, got, want)
		}
	}
	if lastOf(t, stats, "Retransmissions(C)") == 0 {
		t.Error("nothing was lost")
	}
	l.settled()
	once()
	if long == 0 {
		return
	}
	for end := time.Now().Add(2 * patience); l.layer.Live() > 0; time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatalf("%d transactions are left", l.layer.Live())
		}
	}
	late := liveHeap()
	t.Logf("%d bytes were alive after a fifth of the calls, %d are when all are over", early.Load(), late)
	if late > early.Load() {
		t.Error("memory is not flat")
	}
}

// liveHeap returns how many bytes are reachable.
func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go of what they have by two
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// freeUDP returns a UDP port that nobody uses.
func freeUDP(t *testing.T) string {
	t.Helper()
	port, err := ports.Unused()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// lastOf returns a column of the last line of sipp's statistics.
func lastOf(t *testing.T, file, column string) int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = ';', true, -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", file, len(rows), err)
	}
	for i, name := range rows[0] {
		if name == column && i < len(rows[len(rows)-1]) {
			n, err := strconv.Atoi(rows[len(rows)-1][i])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s: no column %s", file, column)
	return 0
}
