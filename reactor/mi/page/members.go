package page

import (
	"cmp"
	"slices"
	"time"

	"sipreactor/reactor/mi"
)

// maxMembersShown is how many destinations of calls an overview lists.
const maxMembersShown = 100

// member is a destination that a module sends calls to.
type member struct {
	Module, Group, Name, URI, Kind string
	State, Why                     string
	For                            float64 // seconds in that state; 0 = not known
	Calls                          uint64
	Running                        int64
	Answers                        [6]uint64
	Failed, Silent                 uint64
	Latency                        float64 // milliseconds; 0 = there was no answer of late
}

// members writes down the destinations of calls, those that get none first.
func (o *overview) members(list []mi.Destination, now time.Time) {
	o.Destinations, o.DestinationsTotal = []member{}, len(list)
	slices.SortStableFunc(list, func(a, b mi.Destination) int { return cmp.Compare(urgency(&a), urgency(&b)) })
	for i := range list[:min(len(list), maxMembersShown)] {
		d := &list[i]
		m := member{Module: d.Module, Group: d.Group, Name: d.Name, URI: d.URI, Kind: d.Kind, State: d.State, Why: brief(d.Why), Calls: d.Calls, Running: d.Running,
			Answers: d.Answers, Failed: d.Failed, Silent: d.Silent, Latency: inMilliseconds(d.Latency)}
		if !d.Since.IsZero() {
			m.For = max(0, now.Sub(d.Since).Seconds())
		}
		o.Destinations = append(o.Destinations, m)
	}
}

// urgency orders destinations: 0 are those that an operator looks for first.
func urgency(d *mi.Destination) int {
	switch d.State {
	case "Active":
		return 2
	case "Inactive": // which somebody wanted
		return 1
	default:
		return 0
	}
}
