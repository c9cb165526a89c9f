package sendqueue

import "time"

// Stall is since when a peer takes nothing. There are two kinds: the socket takes no more
// (Moves, Lasts, Over), or it has taken all, and the kernel keeps the last of it behind a
// window that the peer has closed (Shut, ShutDue, Opened). Neither runs on while the peer
// answers: then it reads. The connection's loop owns it. Times are nanoseconds on one
// clock, above 0; the zero Stall is of a peer that takes what there is.
type Stall struct {
	since  int64  // since when a socket that takes no more makes no progress
	finals uint64 // final responses of the peer then
	shut   int64  // since when the window is closed, as far as was seen; 0: it is not
}

// Moves notes that the peer makes progress, or is not to blame that there is none. It has
// given so many final responses.
func (s *Stall) Moves(now int64, finals uint64) { s.since, s.finals = now, finals }

// Answered reports whether the peer has given a final response since.
func (s *Stall) Answered(finals uint64) bool { return finals != s.finals }

// Lasts reports whether there is no progress for so long.
func (s *Stall) Lasts(now int64, d time.Duration) bool { return now-s.since >= int64(d) }

// Over reports whether there is none for longer than the peer may take. Once limit has passed
// the path's round-trip time is asked for, and granted besides.
func (s *Stall) Over(now int64, limit time.Duration, roundTrip func() time.Duration) bool {
	return s.Lasts(now, limit) && s.Lasts(now, limit+roundTrip())
}

// Shut notes that the window is seen closed.
func (s *Stall) Shut(now int64, finals uint64) {
	if s.shut == 0 || s.Answered(finals) {
		s.shut, s.finals = now, finals
	}
}

// Opened notes that the window is open, or that the socket takes no more, which is looked
// at by itself.
func (s *Stall) Opened() { s.shut = 0 }

// ShutDue returns when a window that is closed was so for longer than it may be. When that
// is past the path's round-trip time is asked for, and granted.
func (s *Stall) ShutDue(now int64, limit time.Duration, roundTrip func() time.Duration) int64 {
	due := s.shut + int64(limit)
	if due <= now {
		due += int64(roundTrip())
	}
	return due
}

// ShutFor returns for how long the window was closed; 0: it is not.
func (s *Stall) ShutFor(now int64) time.Duration {
	if s.shut == 0 {
		return 0
	}
	return time.Duration(now - s.shut)
}
