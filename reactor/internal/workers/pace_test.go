package workers

import (
	"testing"
	"time"
)

// What an item costs is measured while items are handled, not between.
func TestPace(t *testing.T) {
	var p pace
	now := int64(0)
	for range 100 * paceOver {
		p.begin(now, 1)
		now += 5000
		if got := p.rest(now); p.count == 0 && (got < 4900 || got > 5000) {
			t.Fatalf("%d ns an item by one measurement", got)
		}
		now += int64(time.Second)
	}
	if got := p.rest(now); got < 4990 || got > 5000 { // it is rounded down
		t.Errorf("%d ns an item", got)
	}
}
