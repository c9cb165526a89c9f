package flow

import (
	"testing"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/reading"
	"sipreactor/reactor/internal/reason"
)

// Who brought too much for all goes on when there is room.
func TestExcessIsPaused(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	c.Reading.Exceed()
	if r.Hold(c); !c.Reading.Held() || !r.answersWait || len(r.paused) != 1 {
		t.Fatalf("held: %v, answers wait: %v, %d are to go on", c.Reading.Held(), r.answersWait, len(r.paused))
	}
	if c.Reading.Room() {
		r.ReadOn(c)
	}
	if c.Reading.Held() || r.answersWait {
		t.Errorf("held: %v, answers wait: %v", c.Reading.Held(), r.answersWait)
	}
}

// brimful has a connection have in hand as much as it may.
func brimful(c *connection.Conn) {
	for range reading.HoldAt {
		c.Reading.Taken()
	}
}

// The workers may be done with what was too much before its connection is known to be held.
func TestWorkedOffBeforeTheHold(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	brimful(c)
	r.noted = func() {
		r.noted = nil
		for c.Reading.InHand() > 0 {
			c.Reading.Handled() // whoever sees that it is held has the loop asked, which forgets it here
		}
	}
	if r.Hold(c); c.Reading.Held() || r.answersWait {
		t.Errorf("held: %v, answers wait: %v", c.Reading.Held(), r.answersWait)
	}
}

// No answer waits on a connection that is over.
func TestNoAnswersWaitAtTheEnd(t *testing.T) {
	r := newRig(t)
	c, _ := r.plain()
	brimful(c)
	r.Hold(c)
	if r.Close(c, reason.Because(reason.ReadError, "made up")); r.answersWait {
		t.Error("they do")
	}
}

// One that is not up is not held, and one that is over is not read on.
func TestHoldIsOfTheEstablished(t *testing.T) {
	r := newRig(t)
	c, _ := r.accepted(&shaker{steps: 2})
	brimful(c)
	if r.Hold(c); c.Reading.Held() {
		t.Error("a handshake is held")
	}
	c, _ = r.plain()
	r.Close(c, reason.Because(reason.ReadError, "made up"))
	r.noted = func() { t.Error("answers are noted behind the end") }
	r.ReadOn(c)
	r.noted = nil
}
