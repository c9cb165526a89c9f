package dialog

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// running is a table of calls that run, each with a profile and a value.
func running(b *testing.B, many int) *Table {
	b.Helper()
	table, p := New(Config{}), NewProfile("caller", true)
	for i := range many {
		tag := fmt.Sprint("19283", i)
		d, err := table.Create(&Init{CallID: fmt.Sprintf("%d-a84b4c76e66710@pc33.example.com", i), FromTag: tag, CSeq: 1, Timeout: 43200,
			FromURI: fmt.Sprintf("sip:+4930%07d@example.com", i), ToURI: fmt.Sprintf("sip:+4940%07d@example.com", i), RequestURI: fmt.Sprintf("sip:+4940%07d@example.com", i),
			Caller: Leg{Tag: tag, Contact: fmt.Sprintf("sip:alice%d@192.0.2.1:40000;transport=tls", i), CSeq: 1}}, start)
		if err != nil {
			b.Fatal(err)
		}
		d.Join(p, fmt.Sprintf("+4930%07d", i))
		d.Heard(200, &Said{Tag: []byte(fmt.Sprint("45624", i)), Contact: []byte(fmt.Sprintf("sip:bob%d@192.0.2.9:5061;transport=tls", i)), Routes: []byte("<sip:198.51.100.7;transport=tls;lr>")}, start)
		d.Acked([]byte(fmt.Sprint("45624", i)))
	}
	return table
}

// BenchmarkMemory tells how many bytes a call that runs takes, and with 200,000 of them how long the garbage collector stops
// the world, on average and at most.
func BenchmarkMemory(b *testing.B) {
	const many = 200_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		table := running(b, many)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/many, "B/dialog")
		var g debug.GCStats
		debug.ReadGCStats(&g)
		was, total := g.NumGC, g.PauseTotal
		var longest time.Duration
		for range 20 {
			runtime.GC()
			debug.ReadGCStats(&g)
			longest = max(longest, g.Pause[0])
		}
		b.ReportMetric(float64(g.PauseTotal-total)/float64(g.NumGC-was)/1e3, "µs/pause")
		b.ReportMetric(float64(longest)/1e3, "µs/longest")
		runtime.KeepAlive(table)
	}
}
