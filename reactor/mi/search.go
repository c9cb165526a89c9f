package mi

import (
	"sync"
	"time"
)

// What a Search costs: its answer is fresh for so long, or so many times as long as it took.
const (
	freshFor  = 500 * time.Millisecond
	restShare = 20
)

// Search looks through what may be large for all who ask, one at a time. Whoever asks for the same words again gets the
// same answer while it is fresh, so that pages that look each second cost a twentieth of a core at most. The zero value is
// ready; any goroutine.
type Search[T any] struct {
	mu    sync.Mutex
	asked bool
	words string
	last  T
	until time.Time
}

// Find returns the answer for words; look finds it, at a time. It is shared: nobody changes it.
func (s *Search[T]) Find(words string, look func(now time.Time) T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	began := time.Now()
	if s.asked && s.words == words && began.Before(s.until) {
		return s.last
	}
	s.asked, s.words, s.last = true, words, look(began)
	s.until = time.Now().Add(max(freshFor, restShare*time.Since(began)))
	return s.last
}
