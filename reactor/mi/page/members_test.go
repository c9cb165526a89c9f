package page

import (
	"testing"
	"time"

	"sipreactor/reactor/mi"
)

// TestMembers: those that get no calls stand first, and the list is bounded.
func TestMembers(t *testing.T) {
	now := time.Now()
	list := []mi.Destination{
		{Name: "a", State: "Active", Since: now.Add(-time.Minute), Latency: 20 * time.Millisecond, Calls: 3},
		{Name: "i", State: "Inactive"}, {Name: "p", State: "Probing"}, {Name: "u", State: "Unreachable", Why: "refused\x00"},
	}
	var o overview
	o.members(list, now)
	names := ""
	for _, m := range o.Destinations {
		names += m.Name
	}
	if names != "puia" || o.DestinationsTotal != 4 {
		t.Errorf("%s of %d", names, o.DestinationsTotal)
	}
	if a := o.Destinations[3]; a.Latency != 20 || a.For < 59 || a.For > 61 || a.Calls != 3 {
		t.Errorf("%+v", a)
	}
	if o.Destinations[2].For != 0 {
		t.Error("a state without a beginning has an age")
	}
	o.members(make([]mi.Destination, 500), now)
	if len(o.Destinations) != maxMembersShown || o.DestinationsTotal != 500 {
		t.Errorf("%d of %d", len(o.Destinations), o.DestinationsTotal)
	}
}
