package transaction

import (
	"testing"
	"time"
)

// Who looks at wheels is woken for a timer that is due before he looks, and for no other.
func TestAlarm(t *testing.T) {
	a := newAlarm()
	w := NewWheel(0)
	w.alarm = a
	rings := func() bool {
		select {
		case <-a.rings:
			return true
		default:
			return false
		}
	}
	var early, late Timer
	if a.awake(); !a.sleep(100) {
		t.Fatal("it cannot sleep though nothing was armed")
	}
	w.Arm(&late, 200*Tick)
	if rings() {
		t.Error("it rings for what is due later")
	}
	w.Arm(&early, 50*Tick)
	if !rings() {
		t.Error("it does not ring for what is due before")
	}
	w.Arm(&early, 60*Tick)
	if rings() {
		t.Error("it rings twice")
	}
	a.awake()
	w.Arm(&early, 40*Tick) // he may have passed that wheel
	if a.sleep(60) {
		t.Error("it sleeps though something was armed meanwhile")
	}
	if a.awake(); !a.sleep(never) {
		t.Error("it cannot sleep for good")
	}
}

// Timers go off in time though nobody looks at the wheels in between, one that is armed later than another for sooner, too.
func TestClockSleeps(t *testing.T) {
	l := run(t, &routes{}, Config{})
	w := l.layer.shards[0].wheel
	until := func(what string, f func() bool) {
		t.Helper()
		for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(what)
			}
		}
	}
	ripe := func(timer *Timer) func() bool {
		return func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return timer.phase == timerRipe
		}
	}
	var late, soon Timer
	began := l.layer.now()
	w.Arm(&late, began+time.Second)
	until("he does not sleep for the next timer", func() bool {
		at := time.Duration(l.layer.alarm.at.Load()) * Tick
		return at > l.layer.now() && at <= began+time.Second+Tick
	})
	w.Arm(&soon, began+200*time.Millisecond)
	until("the sooner one does not go off", ripe(&soon))
	if ripe(&late)() && l.layer.now() < began+time.Second {
		t.Error("the later one went off before its time")
	}
	until("the later one does not go off", ripe(&late))
	if l.layer.now() < began+time.Second {
		t.Error("it went off before its time")
	}
}
