package owed

import "testing"

func TestStale(t *testing.T) {
	var s Stale
	open := int64(0)
	ask := func(now, n int64) { s.Add(now, open, n); open += n }
	live := func(now, want int64) {
		t.Helper()
		if got := s.Live(now, open); got != want {
			t.Errorf("at %d: %d of %d are live, want %d", now, got, open, want)
		}
	}
	live(1000, 0)
	ask(1000, 3)
	live(1000+answerTime-1, 3)
	open -= 1 // two are lost
	ask(1000+answerTime, 4)
	live(1000+2*answerTime-1, 6)
	ask(1000+2*answerTime, 1) // the two are two generations old
	live(1000+2*answerTime, 5)
	open -= 4
	live(1000+2*answerTime, 1)
	live(1000+4*answerTime, 0)
}

func TestWindow(t *testing.T) {
	var w Window
	for now := int64(100); now < 200; now++ {
		w.Add(now)
		w.Add(now)
	}
	if got := w.Sum(199); got != 2*datagramTime {
		t.Errorf("%d of the last %d seconds", got, datagramTime)
	}
	if got := w.Sum(199 + datagramTime); got != 0 {
		t.Errorf("%d remain", got)
	}
}
