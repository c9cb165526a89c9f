package location

import (
	"fmt"
	"runtime"
	"testing"
)

func filled(b *testing.B, n int) (*Table, [][]byte) {
	b.Helper()
	table := New(Config{})
	aors := make([][]byte, n)
	for i := range aors {
		aors[i] = fmt.Appendf(nil, "user%d@example.com", i)
		u := update(start, fmt.Sprint("call-id-", i, "@10.1.2.3"), 1, fmt.Sprintf("sip:user%d@10.1.2.3:5061;transport=tls", i))
		u.AOR, u.Bindings[0].Agent, u.Bindings[0].Socket = aors[i], []byte("Phone/1.0"), []byte("tls:192.0.2.1:5061")
		if err := table.Save(u, nil); err != nil {
			b.Fatal(err)
		}
	}
	return table, aors
}

func BenchmarkLookup(b *testing.B) {
	table, aors := filled(b, 100_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		table.Lookup(aors[i%len(aors)], start, func(*Contact) bool { return true })
	}
}

func BenchmarkRefresh(b *testing.B) {
	table, aors := filled(b, 100_000)
	u := update(start, "a", 1, "sip:user@10.1.2.3:5061;transport=tls")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		u.AOR = aors[i%len(aors)]
		u.CSeq++
		u.Bindings[0].Expires = start + int64(60+i%3600)
		_ = table.Save(u, nil)
	}
}

// BenchmarkContactMemory tells the bytes of heap a contact, texts included.
func BenchmarkContactMemory(b *testing.B) {
	var before, after runtime.MemStats
	const n = 200_000
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		table, aors := filled(b, n)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/contact")
		runtime.KeepAlive(table)
		runtime.KeepAlive(aors)
	}
}
