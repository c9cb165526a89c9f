package sendqueue

import (
	"testing"
	"time"
)

const (
	ms    = int64(time.Millisecond)
	limit = 100 * time.Millisecond
)

// path is one whose round trip takes so long; it counts who asks.
type path struct {
	takes time.Duration
	asked int
}

func (p *path) roundTrip() time.Duration {
	p.asked++
	return p.takes
}

// A peer may take nothing for the limit, and for the round trip on top, which is asked for
// only then. Progress begins it anew.
func TestStallHasALimit(t *testing.T) {
	var s Stall
	p := path{takes: 50 * time.Millisecond}
	s.Moves(1000*ms, 0)
	for _, row := range []struct {
		at, moved int64
		half      bool
		over      bool
		asked     int
	}{
		{1000, 0, false, false, 0},
		{1049, 0, false, false, 0},
		{1050, 0, true, false, 0},
		{1099, 0, true, false, 0},
		{1100, 0, true, false, 1},
		{1149, 0, true, false, 2},
		{1150, 0, true, true, 3},
		{1151, 1151, false, false, 3},
		{1250, 0, true, false, 3},
		{1301, 0, true, true, 4},
	} {
		now := row.at * ms
		if row.moved != 0 {
			s.Moves(now, 0)
		}
		half, over := s.Lasts(now, limit/2), s.Over(now, limit, p.roundTrip)
		if half != row.half || over != row.over || p.asked != row.asked {
			t.Errorf("at %d: half %v, over %v, asked %d times; want %+v", row.at, half, over, p.asked, row)
		}
	}
}

// Who answers reads.
func TestStallSeesAnswers(t *testing.T) {
	var s Stall
	s.Moves(1*ms, 3)
	if s.Answered(3) || !s.Answered(4) {
		t.Error("it counts wrong")
	}
	s.Moves(2*ms, 4)
	if s.Answered(4) {
		t.Error("an answer counts for ever")
	}
}

// A closed window is the same one until it opens or the peer answers.
func TestShutWindow(t *testing.T) {
	var s Stall
	p := path{takes: 20 * time.Millisecond}
	due := func(at int64) int64 { return s.ShutDue(at*ms, limit, p.roundTrip) / ms }
	s.Shut(500*ms, 7)
	s.Shut(590*ms, 7)
	if got := due(590); got != 600 || p.asked != 0 {
		t.Errorf("due at %d, asked %d times", got, p.asked)
	}
	if got := due(600); got != 620 || p.asked != 1 {
		t.Errorf("due at %d, asked %d times", got, p.asked)
	}
	if got := s.ShutFor(610 * ms); got != 110*time.Millisecond {
		t.Errorf("shut for %v", got)
	}
	s.Shut(610*ms, 8)
	if got := due(610); got != 710 {
		t.Errorf("an answer does not begin it anew: due at %d", got)
	}
	if s.Opened(); s.ShutFor(800*ms) != 0 {
		t.Error("it is shut and open")
	}
	s.Shut(900*ms, 8)
	if got := due(900); got != 1000 {
		t.Errorf("that it was open does not begin it anew: due at %d", got)
	}
}
