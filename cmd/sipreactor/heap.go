package main

import (
	"bytes"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"

	"sipreactor/reactor/rescue"
)

// heapKeeper sets the garbage collector from what the program really holds, and gives memory back that is held for
// nothing. Go's own policy suits neither end: with a small heap a storm of handshakes collects all the time, with
// thousands of quiet connections as much again as they need stays allocated, and for minutes after they have left.
//
// An operator who sets GOGC or GOMEMLIMIT keeps what was set. One goroutine at a time.
type heapKeeper struct {
	target      bool       // GOGC is ours
	connections func() int // how many there are

	percent int // GOGC as it was last set
	settled int // connections when memory was last given back
	rest    int // periods until it is again, if their number stays about that
	last    heapReading
	trimmed heapReading // just after memory was last given back
	// The runtime's, but for tests.
	read       func() heapReading
	setPercent func(int)
	giveBack   func()
}

// heapReading is the heap at an instant, in bytes.
type heapReading struct {
	live      uint64 // what the last collection found in use
	held      uint64 // memory of the system that the heap has: in use, free, and garbage
	allocated uint64 // since the start
	conns     int
}

const (
	heapPeriod = 2 * time.Second
	// heapRoom is the garbage that may gather whatever is in use, half of that comes on top: some hundreds of handshakes.
	heapRoom = 24 << 20
	// heapCalm is what a quiet program may allocate in a period; a busy one would want the memory back at once.
	heapCalm = 4 << 20
	// heapSlack is how much is worth a collection to get it back.
	heapSlack = 6 << 20
	// heapRest is for how many periods garbage alone is no reason to collect again.
	heapRest = 15
	// heapFewer is how many connections must have left for the same.
	heapFewer = 256
)

// keepHeap sets the collector for the life of the process. stop ends it.
func keepHeap(connections func() int) (stop func()) {
	k := &heapKeeper{
		target: os.Getenv("GOGC") == "", connections: connections, percent: 100, read: readHeap,
		setPercent: func(p int) { debug.SetGCPercent(p) },
		giveBack: func() {
			runtime.GC() // pools let go of what they hold at the second collection
			debug.FreeOSMemory()
		},
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit := memoryLimit("/sys/fs/cgroup/memory.max"); limit > 0 {
			debug.SetMemoryLimit(limit)
		}
	}
	k.step()
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(heapPeriod)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = rescue.Run(nil, "the collector's pace", k.step)
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// memoryLimit is what a container's limit leaves to Go: nine tenths, since the kernel counts page cache and socket
// buffers too. 0: there is none.
func memoryLimit(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil || n <= 0 {
		return 0 // "max"
	}
	return n / 10 * 9
}

// step looks at the heap once.
func (k *heapKeeper) step() {
	now := k.look()
	calm := now.allocated-k.last.allocated < heapCalm
	k.last = now
	k.rest--
	if calm && k.worthIt(now) {
		k.giveBack()
		now = k.look()
		k.last, k.trimmed, k.settled, k.rest = now, now, now.conns, heapRest
	}
	// Without a collection in between there is nothing to go by; while memory shrinks it is the lowest that counts.
	k.trimmed.held = min(k.trimmed.held, now.held)
	k.trimmed.conns = max(k.trimmed.conns, now.conns)
	if want := gcPercent(now.live); k.target && differs(want, k.percent) {
		k.percent = want
		k.setPercent(want)
	}
}

func (k *heapKeeper) look() heapReading {
	r := k.read()
	r.conns = k.connections()
	return r
}

// worthIt tells whether a collection would give much back: much more is held than after the last time, or many
// connections have left, of which the heap's own figures know only after a collection.
func (k *heapKeeper) worthIt(now heapReading) bool {
	if k.rest > 0 && max(now.conns-k.settled, k.settled-now.conns) < heapFewer {
		return false
	}
	return now.held > k.trimmed.held+heapSlack || k.trimmed.conns-now.conns >= max(heapFewer, k.trimmed.conns/10)
}

// gcPercent is the GOGC that leaves room for heapRoom and half of what is in use.
func gcPercent(live uint64) int {
	return int(min(50+100*heapRoom/max(live, 1<<20), math.MaxInt16))
}

// differs tells whether a new GOGC is worth stopping the world for.
func differs(want, has int) bool {
	return want > has+has/8 || want < has-has/8
}

// readHeap asks the runtime; it stops nothing.
func readHeap() heapReading {
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(s)
	var v [5]uint64
	for i := range s {
		if s[i].Value.Kind() == metrics.KindUint64 {
			v[i] = s[i].Value.Uint64()
		}
	}
	return heapReading{live: v[0], allocated: v[1], held: v[2] + v[3] + v[4]}
}
