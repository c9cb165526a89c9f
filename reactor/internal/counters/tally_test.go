package counters

import (
	"fmt"
	"sync"
	"testing"
)

// A tally keeps a bounded number of names apart and loses no count.
func TestTally(t *testing.T) {
	var c Tally
	if len(c.Counts()) != 0 {
		t.Error("something before anything")
	}
	c.Add("0")
	var adding sync.WaitGroup
	for i := range 3 * tallyBound {
		adding.Go(func() {
			c.Add(fmt.Sprint(i))
			c.Add("0")
		})
	}
	adding.Wait()
	all := c.Counts()
	c.AddTo(all)
	n := uint64(0)
	for _, one := range all {
		n += one
	}
	if n != 2*(6*tallyBound+1) || all["0"] != 2*(3*tallyBound+2) || all[otherCauses] != 2*2*tallyBound || len(all) != tallyBound+1 {
		t.Errorf("%d counted under %d names, %d under 0, %d under other", n, len(all), all["0"], all["other"])
	}
	if n := c.Counts()["0"]; n != 3*tallyBound+2 {
		t.Errorf("what was given out counts: %d under 0", n)
	}
}
