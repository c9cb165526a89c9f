package dialog

import "testing"

// A time that is set counts, whether it is shorter than the one before or longer, and an end is not put off by it.
func TestSetTimeout(t *testing.T) {
	for _, seconds := range []int64{20, 500} {
		table := New(Config{})
		d := invite(t, table, "c")
		d.SetTimeout(seconds, start)
		over := 0
		table.Expire(start+seconds-1, func(*Dialog) { over++ })
		if over != 0 {
			t.Errorf("%d s: it is over before", seconds)
		}
		if table.Expire(start+seconds, func(*Dialog) { over++ }); over != 1 {
			t.Errorf("%d s: it is over %d times", seconds, over)
		}
		d.SetTimeout(1000, start+seconds)
		if table.Expire(start+seconds+lingering, nil); table.ByID(d.ID) != nil {
			t.Errorf("%d s: it stays behind its end", seconds)
		}
	}
	// One that ends in the middle of what puts its time off is no exception.
	table := New(Config{})
	d := invite(t, table, "c")
	d.End(DownstreamBYE, start+10)
	table.hasten(d, start+1000)
	if table.Expire(start+10+lingering, nil); table.ByID(d.ID) != nil {
		t.Error("who puts off the time of one that ends has it stay")
	}
}
