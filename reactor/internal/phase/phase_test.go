package phase

import "testing"

// Every step that the table allows and every one it forbids.
func TestTable(t *testing.T) {
	allowed := map[[2]Phase]bool{
		{Connecting, Enrolling}: true, {Connecting, Closed}: true,
		{Enrolling, Handshaking}: true, {Enrolling, Established}: true, {Enrolling, Closed}: true,
		{Handshaking, Established}: true, {Handshaking, Closing}: true, {Handshaking, Closed}: true,
		{Established, Closing}: true, {Established, Closed}: true,
		{Closing, Closed}: true,
	}
	names := make(map[string]bool)
	for from := range Count {
		names[from.String()] = true
		for to := range Count {
			if got := from.May(to); got != allowed[[2]Phase{from, to}] {
				t.Errorf("%v to %v: %v", from, to, got)
			}
		}
	}
	if len(names) != int(Count) || Count.String() != "phase(6)" {
		t.Errorf("%d names for %d phases; %v", len(names), Count, Count)
	}
}
