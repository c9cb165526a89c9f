package reading

import "testing"

// after returns the reading of a connection with so many messages in hand.
func after(n int) *Reading {
	r := new(Reading)
	for range n {
		r.Taken()
	}
	return r
}

// The table of who holds: behind a read of so many, with an excess or answers without room.
func TestHold(t *testing.T) {
	for _, row := range []struct {
		inHand          int
		exceed, swamped bool
		held, excess    bool
	}{
		{0, false, false, false, false},
		{HoldAt - 1, false, false, false, false},
		{HoldAt, false, false, true, false},
		{1, true, false, true, true},
		{1, false, true, true, false},
		{HoldAt, true, true, true, true},
	} {
		r := after(row.inHand)
		if row.exceed {
			r.Exceed()
		}
		held, excess := r.Hold(row.swamped)
		if held != row.held || excess != row.excess || r.Held() != row.held || r.Paused() != row.excess || r.Exceeds() {
			t.Errorf("%+v: held %v, excess %v", row, held, excess)
		}
		if again, _ := r.Hold(true); again == row.held {
			t.Errorf("%+v: held twice, or not when it is swamped", row)
		}
	}
}

// What was held for many in hand goes on when few are left, once.
func TestHandledLetsItGoOn(t *testing.T) {
	r := after(HoldAt)
	r.Hold(false)
	for r.InHand() > holdUntil+1 {
		if r.Handled() {
			t.Fatalf("it goes on with %d in hand", r.InHand())
		}
	}
	if r.WorkedOff() {
		t.Error("it is worked off too early")
	}
	if !r.Handled() || !r.Resume() || r.Held() || r.Resume() {
		t.Error("it does not go on, or twice")
	}
	if r.Handled() {
		t.Error("nothing is held")
	}
}

// Between the count and the look at it the workers may have been done.
func TestWorkedOffMeanwhile(t *testing.T) {
	r := after(HoldAt)
	r.Hold(false)
	r.inHand.Store(holdUntil)
	if !r.WorkedOff() || r.Held() {
		t.Error("it is held for ever")
	}
}

// Each reason keeps it, whatever becomes of the other.
func TestEachReasonKeepsIt(t *testing.T) {
	r := after(1)
	r.Exceed()
	r.Hold(true)
	if r.Resume() || r.WorkedOff() || r.Unswamp() {
		t.Error("it goes on though there is no room in the shards")
	}
	if !r.Room() || r.Held() || r.Unswamp() {
		t.Error("it does not go on")
	}
	r.Exceed()
	r.Hold(true)
	if r.Room() {
		t.Error("it goes on though answers have no room")
	}
	if !r.Unswamp() {
		t.Error("it does not go on")
	}
}

// With much in hand it is Handled that lets it go on.
func TestRoomWithMuchInHand(t *testing.T) {
	for name, end := range map[string]func(*Reading) bool{"room": (*Reading).Room, "unswamp": (*Reading).Unswamp} {
		r := after(HoldAt)
		if name == "room" {
			r.Exceed()
		}
		r.Hold(name == "unswamp")
		if end(r) || !r.Held() {
			t.Errorf("%s: it goes on", name)
		}
		for !r.Handled() {
		}
		if !r.Resume() {
			t.Errorf("%s: it does not go on", name)
		}
	}
}

func TestLowPriority(t *testing.T) {
	r := after(LowPriorityAt)
	if r.LowPriority() {
		t.Error("few are many")
	}
	if r.Taken(); !r.LowPriority() {
		t.Error("many are few")
	}
	r.Handled()
	if r.Low(1); !r.LowPriority() {
		t.Error("it passes what is there of it")
	}
	if r.Low(-1); r.LowPriority() {
		t.Error("nothing is there")
	}
}

func TestOverloads(t *testing.T) {
	var r Reading
	if r.Exceed(); !r.Overloads() || !r.Exceeds() {
		t.Error("an excess overloads")
	}
	if r.Hold(false); !r.Overloads() || r.Exceeds() {
		t.Error("it overloads until it is calm, and exceeds until it is held")
	}
	if r.Calm(); r.Overloads() {
		t.Error("it is calm")
	}
}

// A message is here until it is done, in hand or while its Handler waits.
func TestHere(t *testing.T) {
	r := after(1)
	r.Waits(1)
	if r.Handled(); !r.Here() {
		t.Error("one that waits is not here")
	}
	if r.Waits(-1); r.Here() {
		t.Error("one that is done is here")
	}
	if r.Taken(); !r.Here() {
		t.Error("one in hand is not here")
	}
}
