package dialog

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestIndex has dialogs come and go at random, many of one Call-ID, and compares what is found with a list.
func TestIndex(t *testing.T) {
	table := New(Config{})
	random := rand.New(rand.NewPCG(1, 2))
	var there []*Dialog
	for i := range 20_000 {
		if len(there) > 0 && random.IntN(5) < 2 {
			at := random.IntN(len(there))
			d := there[at]
			there[at] = there[len(there)-1]
			there = there[:len(there)-1]
			table.leave(d)
			if table.ByID(d.ID) != nil {
				t.Fatalf("%v is found, and has left", d.ID)
			}
			table.leave(d) // again: nothing
			continue
		}
		there = append(there, invite(t, table, fmt.Sprint("c", random.IntN(3000)), func(in *Init) { in.FromTag = fmt.Sprint("f", i) }))
	}
	all, ofCall := make(map[*Dialog]bool), make(map[string]int)
	table.Each(func(d *Dialog) bool { all[d] = true; return true })
	if len(all) != len(there) || table.count.Load() != int64(len(there)) {
		t.Errorf("%d are visited and %d counted, of %d", len(all), table.count.Load(), len(there))
	}
	for _, d := range there {
		ofCall[d.CallID]++
		if !all[d] || table.ByID(d.ID) != d || table.enter(d) {
			t.Errorf("%v is not found, or entered twice", d.ID)
		}
		if by, _ := table.ByTags([]byte(d.CallID), []byte(d.FromTag), nil); by != d {
			t.Errorf("%v is not found by its tags", d.ID)
		}
	}
	for id, n := range ofCall {
		if got := len(table.appendOf(nil, []byte(id))); got != n {
			t.Errorf("%d of the Call-ID %s, want %d", got, id, n)
		}
	}
}

// TestIndexOfOneNumber: what OpenSIPS has stored has IDs with few numbers, of which no chain becomes long.
func TestIndexOfOneNumber(t *testing.T) {
	table := New(Config{})
	for i := range 10_000 {
		d := &Dialog{ID: IDOfInt(int64(i%16)<<32 | int64(i)), CallID: fmt.Sprint(i), table: table}
		if !table.enter(d) {
			t.Fatal("entered twice")
		}
	}
	longest := 0
	for i := range table.ids.shards {
		for _, d := range table.ids.shards[i].heads {
			n := 0
			for ; d != nil; d = d.chained[byID].next {
				n++
			}
			longest = max(longest, n)
		}
	}
	if longest > 12 {
		t.Errorf("a chain of %d", longest)
	}
}
