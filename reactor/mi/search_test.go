package mi

import (
	"testing"
	"time"
)

func TestSearch(t *testing.T) {
	var s Search[int]
	looks := 0
	look := func(time.Time) int { looks++; return looks }
	first := s.Find("", look) // no words, and nothing was asked before
	if left := time.Until(s.until); left <= 0 {
		t.Error("an answer is never fresh")
	}
	s.until = time.Now().Add(time.Hour)
	if again := s.Find("", look); first != 1 || again != 1 {
		t.Errorf("%d, then %d for the same words", first, again)
	}
	if other := s.Find("x", look); other != 2 {
		t.Errorf("%d for other words", other)
	}
	s.until = time.Now()
	if stale := s.Find("x", look); stale != 3 {
		t.Errorf("%d for an answer that is old", stale)
	}
}
