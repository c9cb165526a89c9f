package scheduler

// Enter has the caller be in the loop's place while that sleeps and nobody has woken it: what
// is the loop's alone is the caller's, who does something short with it, until Leave. What
// would have taken a wake-up, two switches of threads, then takes none. It reports whether
// the caller is there: a loop that is awake, or that others are in the place of, is asked by
// Post. Any goroutine, but none that is in a loop's place already.
func (s *Scheduler[C]) Enter() bool {
	s.mu.Lock()
	wakes := s.woken
	s.mu.Unlock()
	return !wakes && s.turn.TryLock()
}

// Leave gives the loop its place back, which may be awake by now and wait for that.
func (s *Scheduler[C]) Leave() { s.turn.Unlock() }
