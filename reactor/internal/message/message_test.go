package message

import "testing"

// What belongs to something that has begun finds room where a new request finds none, and
// only requests are owed an answer.
func TestClasses(t *testing.T) {
	for _, row := range []struct {
		class        Class
		urgent, asks bool
	}{
		{Unclassed, false, false},
		{NewRequest, false, true},
		{LaterRequest, true, true},
		{Final, true, false},
	} {
		if row.class.Urgent() != row.urgent || row.class.Asks() != row.asks {
			t.Errorf("class %d: urgent %v, asks %v", row.class, row.class.Urgent(), row.class.Asks())
		}
	}
}
