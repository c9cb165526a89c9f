package hep

import (
	"testing"
	"time"
)

func TestBatchTook(t *testing.T) {
	fill := func() *batch {
		var b batch
		for _, n := range []note{"a", "bb", "ccc"} {
			b.add(n)
		}
		return &b
	}
	whole := fill()
	size := len(whole.bytes)
	for n := 0; n <= size; n++ {
		b := fill()
		want := 0
		for _, end := range whole.ends {
			if n >= end {
				want++
			}
		}
		if got := b.took(n); got != want || len(b.ends) != 3-want {
			t.Fatalf("after %d of %d bytes: %d packets, %d left", n, size, got, len(b.ends))
		}
		for rest := b.bytes; len(rest) > 0; {
			length, err := Length(rest)
			if err != nil {
				t.Fatalf("after %d bytes the rest begins with no packet: %v", n, err)
			}
			rest = rest[length:]
		}
		if len(b.ends) > 0 && b.ends[len(b.ends)-1] != len(b.bytes) {
			t.Fatalf("after %d bytes the last end is %d of %d", n, b.ends[len(b.ends)-1], len(b.bytes))
		}
	}
}

func TestPauseGrowsAndFalls(t *testing.T) {
	s := &Sender{cfg: SenderConfig{MinPause: time.Second, MaxPause: 5 * time.Second}}
	for _, c := range []struct{ held, want time.Duration }{
		{0, time.Second}, {0, 2 * time.Second}, {4 * time.Second, 4 * time.Second},
		{0, 5 * time.Second}, {0, 5 * time.Second}, {5 * time.Second, time.Second}, {0, 2 * time.Second},
	} {
		if s.slow(c.held); s.pause != c.want {
			t.Errorf("a pause of %v instead of %v", s.pause, c.want)
		}
	}
}
