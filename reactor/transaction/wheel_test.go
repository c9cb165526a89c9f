package transaction

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A wheel beside a list of what is due when: nothing goes off early, a tick late or twice, whatever is armed, moved and
// stopped, also by what goes off.
func TestWheel(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		now := time.Duration(r.Int64N(int64(1000 * time.Hour)))
		w := NewWheel(now)
		timers := make([]Timer, 200)
		due := make(map[*Timer]time.Duration)
		arm := func(x *Timer) {
			// Of all magnitudes: one tick to days.
			away := time.Duration(r.Int64N(1 << (10 + r.IntN(38))))
			w.Arm(x, now+away)
			due[x] = now + away
		}
		for range 3000 {
			switch x := &timers[r.IntN(len(timers))]; r.IntN(4) {
			case 0, 1:
				arm(x)
			case 2:
				w.Stop(x)
				delete(due, x)
			case 3:
				now += time.Duration(r.Int64N(1 << (10 + r.IntN(36))))
				w.Advance(now, func(x *Timer, _ uint64) {
					at, armed := due[x]
					if !armed {
						t.Fatalf("seed %d: a timer went off that was not armed", seed)
					}
					if at > now {
						t.Fatalf("seed %d: %v early", seed, at-now)
					}
					delete(due, x)
					if r.IntN(4) == 0 {
						arm(x)
					}
				})
				for x, at := range due {
					if at+Tick <= now && !(at > now) {
						t.Fatalf("seed %d: %v late, armed %v", seed, now-at, x.Armed())
					}
				}
			}
			if w.Len() != len(due) {
				t.Fatalf("seed %d: %d timers, want %d", seed, w.Len(), len(due))
			}
		}
	}
}

// Next is never behind the first timer that goes off.
func TestWheelNext(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		now := time.Duration(r.Int64N(int64(time.Hour)))
		w := NewWheel(now)
		var x Timer
		at := now + time.Duration(r.Int64N(int64(time.Hour)))
		w.Arm(&x, at)
		for looks := 0; x.Armed(); looks++ {
			if looks > levels {
				t.Fatalf("%d looks at one timer", looks)
			}
			next, ok := w.Next()
			if !ok || next > at+Tick || next <= now-Tick {
				t.Fatalf("next %v, %v; now %v, due %v", next, ok, now, at)
			}
			now = next
			w.Advance(now, func(*Timer, uint64) {})
		}
		if now < at || now >= at+Tick+Tick {
			t.Fatalf("off at %v, due %v", now, at)
		}
		if _, ok := w.Next(); ok {
			t.Fatal("an empty wheel has something to do")
		}
	}
}

func TestWheelAllocates(t *testing.T) {
	w := NewWheel(0)
	var x [64]Timer
	now := time.Duration(0)
	if n := testing.AllocsPerRun(100, func() {
		for i := range x {
			w.Arm(&x[i], now+time.Duration(i)*time.Second)
		}
		now += 40 * time.Second
		w.Advance(now, func(*Timer, uint64) {})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWheel(b *testing.B) {
	w := NewWheel(0)
	x := make([]Timer, 100000)
	now := time.Duration(0)
	for i := range x {
		w.Arm(&x[i], time.Duration(i)*time.Millisecond)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Arm(&x[i%len(x)], now+32*time.Second)
		i++
		now += 100 * time.Microsecond
		w.Advance(now, func(*Timer, uint64) {})
	}
}
