package relay

import (
	"context"
	fnv64 "hash/fnv"
	"strconv"
	"testing"
	"time"
)

// none is a client that is not asked.
type none struct{}

func (none) Ping(context.Context) error { return nil }
func (none) Renew()                     {}
func (none) Close()                     {}

// TestShares checks that nodes get their share of calls, and that a node that goes takes
// only its own along.
func TestShares(t *testing.T) {
	f := New[none]("E_X")
	if err := f.Add("udp:a:1 udp:b:1=2 udp:c:1=0", 0); err != nil {
		t.Fatal(err)
	}
	list := f.Of(0)
	count := map[*Node[none]]int{}
	before := map[string]*Node[none]{}
	for i := range 3000 {
		id := strconv.Itoa(i)
		n := f.Choose(0, id, "", nil)
		count[n]++
		before[id] = n
	}
	if a, b, c := count[list[0]], count[list[1]], count[list[2]]; a < 900 || a > 1100 || a+b != 3000 || c != 0 {
		t.Errorf("%d %d %d", a, b, c)
	}
	list[0].state.Store(int32(probing))
	for id, was := range before {
		if n := f.Choose(0, id, "", nil); was != list[0] && n != was || n == list[0] {
			t.Fatalf("%s: %s, was at %s", id, n.URL, was.URL)
		}
	}
	list[1].state.Store(int32(disabled))
	if n := f.Choose(0, "x", "", nil); n != list[2] {
		t.Error(n)
	}
	if n := f.Choose(0, "x", "", list[2:]); n != nil {
		t.Error(n)
	}
	if n := f.Choose(0, "x", "udp:b:1", nil); n != list[1] {
		t.Error(n)
	}
}

// The hash is the one of the standard library: proxies of other versions agree. To choose
// costs no memory.
func TestScore(t *testing.T) {
	h := fnv64.New64a()
	_, _ = h.Write([]byte("udp:a:1\x00call"))
	if got := fnv(fnv(fnvBasis, "udp:a:1")*fnvPrime, "call"); got != h.Sum64() {
		t.Errorf("%x, want %x", got, h.Sum64())
	}
	f := New[none]("E_X")
	if err := f.Add("udp:a:1 udp:b:1=2 udp:c:1=0", 0); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		f.Began(0, "call", f.Choose(0, "call", "", nil))
		f.Ended(0, "call")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMoved(t *testing.T) {
	m := New[none]("E_X").moved
	n := &Node[none]{}
	for i := range maxMoved + 10 {
		m.put(0, strconv.Itoa(i), n)
	}
	if len(m.calls) != maxMoved || m.get(0, "1") != n || m.get(1, "1") != nil || m.get(0, strconv.Itoa(maxMoved)) != nil {
		t.Error(len(m.calls))
	}
	m.put(0, "1", nil)
	m.put(0, strconv.Itoa(maxMoved), n)
	if m.get(0, "1") != nil || m.get(0, strconv.Itoa(maxMoved)) != n {
		t.Error("no room was made")
	}
	if m.sweep(time.Now().Add(time.Hour)); len(m.calls) != 0 {
		t.Error(len(m.calls))
	}
}
