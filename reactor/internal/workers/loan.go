package workers

// Lend gives the caller the lead of a shard whose leader sleeps and in which nothing
// waits, and reports whether it did. TakeBack or LetGo ends the loan. Any goroutine.
func (s *Shard[T]) Lend() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lent || !s.asleep || s.stop || s.waiting() > 0 {
		return false
	}
	s.lent = true
	return true
}

// TakeBack ends the loan. What came meanwhile is the leader's.
func (s *Shard[T]) TakeBack() {
	s.mu.Lock()
	s.takeBack()
	s.mu.Unlock()
}

// takeBack is TakeBack with the lock held.
func (s *Shard[T]) takeBack() {
	s.lent = false
	if s.asleep && (s.waiting() > 0 || s.stop) {
		s.work.Signal()
	}
}

// LetGo ends the loan of a borrower that is going to wait, and counts its goroutine
// until Returned; false when too many wait already: then the loan goes on.
func (s *Shard[T]) LetGo() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.members >= s.cfg.Members {
		return false
	}
	s.members++
	s.takeBack()
	return true
}

// Returned is the end of a goroutine that LetGo has counted.
func (s *Shard[T]) Returned() {
	s.mu.Lock()
	s.members--
	s.mu.Unlock()
}
