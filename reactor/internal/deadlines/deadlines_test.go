package deadlines

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// owner counts how often the time was up. The clock is that of the test's bubble.
type owner struct {
	born time.Time
	up   atomic.Int32
}

func (o *owner) Now() int64 { return int64(time.Since(o.born)) + 1 }
func (o *owner) TimeIsUp()  { o.up.Add(1) }

const second = int64(time.Second)

// in runs a test on a clock of its own.
func in(t *testing.T, f func(t *testing.T, d *Deadlines, o *owner, after func(time.Duration) int)) {
	synctest.Test(t, func(t *testing.T) {
		d, o := new(Deadlines), &owner{born: time.Now()}
		defer d.Stop()
		f(t, d, o, func(wait time.Duration) int {
			time.Sleep(wait)
			synctest.Wait()
			return int(o.up.Load())
		})
	})
}

func TestTheEarliestCounts(t *testing.T) {
	in(t, func(t *testing.T, d *Deadlines, o *owner, after func(time.Duration) int) {
		d.Set(HalfClosed, o.Now()+10*second, o)
		d.Set(Message, o.Now()+3*second, o)
		d.Set(Send, o.Now()+5*second, o)
		if n := after(2900 * time.Millisecond); n != 0 {
			t.Fatalf("%d times up before the first", n)
		}
		if n := after(200 * time.Millisecond); n != 1 {
			t.Fatalf("%d times up behind the first", n)
		}
		if now := o.Now(); !d.Past(Message, now) || d.Past(Send, now) || d.Past(HalfClosed, now) || d.Past(Acknowledgement, now) {
			t.Errorf("past are others: %+v", d)
		}
		d.WentOff()
		d.Clear(Message)
		d.Rest(o)
		if n := after(time.Second); n != 1 {
			t.Fatalf("%d times up between two", n)
		}
		if n := after(time.Second); n != 2 || !d.Past(Send, o.Now()) {
			t.Fatalf("%d times up behind the second", n)
		}
	})
}

// What is put off and cleared, as each message does, arms no timer: that goes off once, and
// is armed anew if something is left.
func TestMessagesLeaveTheTimer(t *testing.T) {
	in(t, func(t *testing.T, d *Deadlines, o *owner, after func(time.Duration) int) {
		for range 100 {
			d.Set(Message, o.Now()+2*second, o)
			after(10 * time.Millisecond)
			d.Clear(Message)
		}
		if d.For(Message) || d.Due(Message) != 0 || !d.Armed() {
			t.Errorf("%+v", d)
		}
		if n := after(999 * time.Millisecond); n != 0 {
			t.Errorf("%d times up too early", n)
		}
		if n := after(time.Minute); n != 1 {
			t.Errorf("%d times up", n)
		}
		d.WentOff()
		d.PutOff(Message, o.Now()+second)
		d.Rest(o)
		if n := after(time.Minute); n != 2 {
			t.Errorf("%d times up after the next one", n)
		}
	})
}

func TestDisarm(t *testing.T) {
	in(t, func(t *testing.T, d *Deadlines, o *owner, after func(time.Duration) int) {
		d.Look(o.Now()+second, o) // as a handshake does, whose clock is its own
		d.Set(Send, o.Now()+2*second, o)
		d.Disarm()
		if !d.Armed() {
			t.Error("disarmed while something is waited for")
		}
		d.Clear(Send)
		d.Disarm()
		if d.Armed() {
			t.Error("armed for nothing")
		}
		if n := after(time.Minute); n != 0 {
			t.Errorf("%d times up", n)
		}
		d.Set(HalfClosed, o.Now()+second, o)
		if n := after(2 * time.Second); n != 1 {
			t.Errorf("%d times up", n)
		}
	})
}

func TestStop(t *testing.T) {
	in(t, func(t *testing.T, d *Deadlines, o *owner, after func(time.Duration) int) {
		d.Stop() // without a timer
		d.Set(Message, o.Now()+second, o)
		d.Stop()
		if n := after(time.Minute); n != 0 {
			t.Errorf("%d times up", n)
		}
	})
}

// A message that comes in pieces costs no memory.
func TestNoAllocation(t *testing.T) {
	d, o := new(Deadlines), &owner{born: time.Now()}
	defer d.Stop()
	d.Set(Message, o.Now()+int64(time.Hour), o)
	if n := testing.AllocsPerRun(100, func() {
		d.Set(Message, o.Now()+int64(time.Hour), o)
		d.Clear(Message)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The timer is armed for the earliest of the waits that are left, whichever that is.
func TestRestIsForAll(t *testing.T) {
	in(t, func(t *testing.T, d *Deadlines, o *owner, after func(time.Duration) int) {
		now := o.Now()
		d.PutOff(Send, now+9*second)
		d.PutOff(Acknowledgement, now+3*second)
		d.PutOff(HalfClosed, now+5*second)
		d.Rest(o)
		if n := after(3 * time.Second); n != 1 || !d.Past(Acknowledgement, now+3*second) || d.Past(Acknowledgement, now+3*second-1) {
			t.Errorf("%d times up at the moment of the first", n)
		}
	})
}
